// Types of the Flyball API, v1, written by the code from its OpenAPI document.
// `Operations["devices_list"]["response"]` is what that operation answers with.

/** The body of the command, with the last word of its address as `action`. */
export type ActionRequest = (({
  /** Of a cap: all caps of the machine where absent. */
  actuator?: (string | null);
  /** Watts to hold the power under; null gives the cap back to the engine. */
  cap_watts?: (number | null);
  /** Of a reset: `On`, `Off`, `PoweringOn`, `PoweringOff` or `Paused`, as the caller saw it. Another state refuses it. */
  expected_state?: (string | null);
  /** Why the machine that this aggregator runs on shall be taken down all the same. */
  justification?: (string | null);
  /** `On`, `ForceOff`, `GracefulShutdown`, `GracefulRestart`, `ForceRestart`, `PowerCycle`, `Nmi` or `Suspend`. What may lose work is armed first: its operation is `armed`, and says in `confirmation` what is meant and how it is confirmed. */
  reset_type?: (string | null);
  /** Of a reset: the switch, by its name; the device's own where absent. */
  switch?: (string | null);
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
} & {
  action: "power";
}) | ({
  /** All fans of the machine where absent. */
  actuator?: (string | null);
  /** A duty of 0 to 1 that no fan turns below; null gives the fans back to the engine. */
  fan_floor: (number | null);
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
} & {
  action: "thermal";
}) | ({
  /** All ceilings of the machine where absent. */
  actuator?: (string | null);
  /** Hertz to hold the processors under; null gives the ceiling back to the engine. */
  cap_hertz: (number | null);
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
} & {
  action: "frequency";
}) | ({
  /** The only one of the device where absent. */
  actuator?: (string | null);
  /** One of the actuator's `profiles`: a governor, a platform profile. */
  profile: string;
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
} & {
  action: "profile";
}) | ({
  /** The only light of the device where absent. */
  indicator?: (string | null);
  lit: boolean;
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
} & {
  action: "indicator";
}) | ({
  /** In Redfish's words: `Pxe`, `Hdd`, `Cd`, `BiosSetup` … */
  source: string;
  /** The switch of the machine that boots; the device's own where absent. */
  switch?: (string | null);
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
} & {
  action: "boot-once";
}) | ({
  /** One of the guard's allow-list. */
  service: string;
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
  /** `pause`, `resume`, `stop` or `start`. */
  verb: string;
} & {
  action: "services";
}) | ({
  /** It also holds fans and caps where they stand. */
  holds_levels?: boolean;
  /** Its name within the device. */
  name: string;
  /** What is being done there. */
  reason: string;
  /** The switch or actuator that is locked; the machine with all its equipment where absent, and of equipment its only switch. */
  target?: (string | null);
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
  /** RFC 3339, or Unix milliseconds as text: it lifts itself then; never where absent. */
  until?: (string | null);
} & {
  action: "locks";
}) | ({
  /** Why somebody else's lock is lifted; its owner needs none. */
  justification?: (string | null);
  /** The lock's name. */
  lock: string;
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
} & {
  action: "release";
}) | ({
  /** The limit that tripped, by its name in `limits`. */
  limit: string;
  /** Why it may run again, for the guard's journal and the audit log. */
  reason: string;
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
} & {
  action: "clear";
}) | ({
  /** The whole layer: limits that are not named lose what the fleet asked of them. */
  limits: Array<FleetLimitRequest>;
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
} & {
  action: "fleet-limits";
}) | ({
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
} & {
  action: "self-test";
}));

export type ActionValidation = {
  /** Who says so: `machine` or `aggregator`. */
  by: string;
  /** The limit that clamps. */
  clamped_by?: (string | null);
  clamped_to?: (number | null);
  /** Of a refusal: its slug among the errors. */
  code?: (string | null);
  consequence?: (string | null);
  /** Of a refusal: what stands against it. */
  details?: (Record<string, unknown> | null);
  /** Such as `power.reset`. */
  kind: string;
  /** Why it is refused or not known, as a sentence. */
  reason?: (string | null);
  state?: (string | null);
  /** What would have to be confirmed. */
  target?: (string | null);
  unit?: (string | null);
  /** `accepted`, `clamped`, `refused`, `confirmation_required` or `unknown`. */
  verdict: string;
};

export type Actuator = {
  /** What was asked of it and stands, the highest rank first: that one decides, under the limits. */
  claims: Array<Claim>;
  id: string;
  /** `fan`, `power_cap`, `frequency_cap`, `switch`, `profile`, `indicator` or `service`. */
  kind: string;
  max: number;
  min: number;
  observed?: (number | null);
  /** Of a profile: the word that stands, and those that it offers. */
  profile?: (string | null);
  profiles: Array<string>;
  /** Of a switch: `On`, `Off`, `PoweringOn`, `PoweringOff` or `Paused`. */
  state?: (string | null);
  /** Its read-back has not agreed within its time. */
  stuck: boolean;
  unit: string;
  /** Of a switch: the reset types that may be asked of it. */
  verbs: Array<string>;
  wanted?: (number | null);
};

/** The same as a body, with lists where the query string has commas. */
export type AggregateRequest = {
  aggregate?: Array<string>;
  device?: (string | null);
  from?: (string | null);
  group_by?: Array<string>;
  /** `equipment`: the series of the machine's equipment too. */
  include?: (string | null);
  labels?: (string | null);
  metric?: (string | null);
  points?: (number | null);
  reading_type?: (string | null);
  series?: Array<string>;
  step?: (string | null);
  to?: (string | null);
};

export type AggregateResult = {
  aggregate: string;
  /** Unix milliseconds of the step's begin and the value; null where nothing is known. */
  points: Array<[number, (number | null)]>;
  /** UCUM code. */
  unit: string;
};

export type ApiKey = {
  created_at: string;
  expires_at?: (string | null);
  id: string;
  last_used_at?: (string | null);
  name: string;
  /** How its text begins. */
  prefix: string;
  /** All that it may, as far as its owner may. */
  scopes: Array<string>;
};

export type ApiKeyRequest = {
  /** What the key is for. */
  name: string;
  /** `use`, `read`, `act`, `manage`, `administer`; each holds those before it, and none is more than what its owner may. */
  scopes: Array<string>;
  /** It does not expire where absent. */
  ttl_seconds?: (number | null);
};

export type ArchiveGone = {
  file_name: string;
  message: string;
};

export type ArchivedCurriculum = {
  archived_at: string;
  /** SHA-256 of the file, hexadecimal. */
  checksum: string;
  curriculum_id: string;
  curriculum_title: string;
  file_name: string;
  /** Bytes. */
  file_size: number;
};

export type Asset = {
  alt_text?: (string | null);
  /** SHA-256, hexadecimal. */
  checksum?: (string | null);
  created_at: string;
  description: string;
  /** Such as `svg` or `png`, by the bytes. */
  format: string;
  id: string;
  mime_type: string;
  /** `import`, `upload` or `preload`. */
  origin: string;
  /** Bytes. */
  size: number;
  title: string;
  topic_id?: (string | null);
  /** `diagram`, `formula`, `map`, `image`, `audio`, `video` or `document`. */
  type: string;
  updated_at: string;
  /** The path of its content. */
  url: string;
};

export type AssetGone = {
  id: string;
  message: string;
};

/** What is absent stays as it is. */
export type AssetRequest = {
  /** Null takes it away. */
  alt_text?: (string | null);
  description?: (string | null);
  title?: (string | null);
  /** `diagram`, `formula`, `map`, `image`, `audio`, `video` or `document`. */
  type?: (string | null);
};

export type AuditEntry = {
  action: string;
  actor: string;
  /** Where it was asked from. */
  address?: (string | null);
  at: string;
  /** The fields that changed, each with `before` and `after`; secrets are masked. */
  change?: (Record<string, unknown> | null);
  /** `allowed`, `clamped`, `refused` or `failed`. */
  decision: string;
  details: Record<string, unknown>;
  /** SHA-256 of the row and the hash before it, in hexadecimal. */
  hash?: (string | null);
  id: string;
  /** Whose chain it stands in; the server's own where absent. */
  organization?: (string | null);
  /** Its number in its chain, from 1. */
  position?: (number | null);
  request_id?: (string | null);
  /** The sign-in under which it was done. */
  session?: (string | null);
  target: string;
};

/** What a walk along every chain came to. */
export type AuditVerification = {
  chains: number;
  first_broken?: (BrokenRow | null);
  /** Do all chains hold? */
  intact: boolean;
  /** Rows that were walked, up to the break where there is one. */
  rows: number;
};

/** A browser or app that has signed in. */
export type AuthDevice = {
  app_version?: (string | null);
  created_at: string;
  id: string;
  is_trusted: boolean;
  last_seen_at: string;
  model?: (string | null);
  name?: (string | null);
  os_version?: (string | null);
  type?: (string | null);
};

export type Awake = {
  /** Does the machine hold its active profile until then? */
  acts: boolean;
  keep_awake_until?: (string | null);
  /** The command that the machine was sent. */
  operation_id?: (string | null);
  /** Why not. */
  reason?: (string | null);
};

export type Backup = {
  bytes?: (number | null);
  /** The file, once it is there. */
  content?: (string | null);
  created_at: string;
  created_by?: (string | null);
  /** Why it could not be taken. */
  error?: (string | null);
  id: string;
  /** The job that takes it. */
  job: string;
  /** Of the whole file, hexadecimal. */
  sha256?: (string | null);
  /** `queued`, `running`, `succeeded`, `failed` or `cancelled`. */
  state: string;
  /** The program's version that took it. */
  version?: (string | null);
};

export type BackupRequest = {
  /** What the keys in it are sealed with: 12 bytes at least. Without it nothing is restored. */
  passphrase: string;
};

export type BatchAnswer = {
  /** JSON where it is, else a text; of other bytes their base64, as `encoding` says then. Null where there is none, or it is longer than a batch carries. */
  body?: (Record<string, unknown> | null);
  encoding?: (string | null);
  headers: Record<string, string>;
  id: string;
  status: number;
  /** The body was too long to be carried; ask for it by itself. */
  truncated: boolean;
};

/** The answers, in the order of the requests. */
export type BatchAnswers = {
  responses: Array<BatchAnswer>;
};

export type BatchPart = {
  /** Sent as JSON. */
  body?: (Record<string, unknown> | null);
  /** `accept`, `content-type`, `if-match`, `if-none-match`, `idempotency-key`, `x-request-id`. */
  headers?: Record<string, string>;
  /** Tells the parts of a batch apart. */
  id: string;
  /** `GET`, `POST`, `PUT`, `PATCH` or `DELETE`. */
  method: string;
  /** Under `/api/v1/`, with its query. */
  path: string;
};

export type BatchRequests = {
  /** May they run side by side? Else one ends before the next begins. */
  parallel?: boolean;
  /** 1 to 50. */
  requests: Array<BatchPart>;
};

export type BootOnceRequest = {
  /** In Redfish's words: `Pxe`, `Hdd`, `Cd`, `BiosSetup` … */
  source: string;
  /** The switch of the machine that boots; the device's own where absent. */
  switch?: (string | null);
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
};

/** A role over a part of the fleet. */
export type BoundRole = {
  role: string;
  scope: ScopeBody;
};

export type BoundScope = {
  id: string;
  /** `organization`, `site`, `location`, `group` or `device`. */
  kind: string;
};

export type BoundUser = {
  display_name: string;
  email: string;
  id: string;
};

/** Where a chain does not hold. */
export type BrokenRow = {
  /** `altered`: it is not what was hashed. `out_of_place`: a row before it is missing, or it was put in. `unchained`: it was never in a chain. `cut_off`: rows behind it are missing. */
  fault: string;
  /** The row's id; `0` where a chain has no rows left. */
  id: string;
  organization?: (string | null);
  /** The number in the chain that it carries. */
  position: number;
};

export type Cancelled = {
  cancelled: boolean;
};

export type Capabilities = {
  diagrams: DiagramCapabilities;
  formulas: FormulaCapabilities;
  maps: MapCapabilities;
  /** What every picture can be had as. */
  output_formats: Array<string>;
};

export type Certificate = {
  device_id: string;
  not_after: string;
  revoked_at?: (string | null);
  /** Hexadecimal. */
  serial: string;
};

export type Claim = {
  issuer: string;
  /** `local`, a person at the machine; `remote`, an operator; or `automation`. */
  origin: string;
  /** Null: until it is withdrawn. */
  until?: (string | null);
  /** The floor or the cap; null for a switch or a setting. */
  value?: (number | null);
};

export type Client = {
  client_id: string;
  client_name: string;
  cpu_percent?: (number | null);
  created_at: string;
  /** `agent` or `application`. */
  kind: string;
  last_heartbeat?: (string | null);
  logs_sent: number;
  /** As its last heartbeat said. */
  memory_mb?: (number | null);
  /** Reports of an application; of an agent, the series that it reports now. */
  metrics_sent: number;
  /** `online`, `idle` or `offline`. */
  status: string;
};

export type CodeRequest = {
  code: string;
};

export type Condition = {
  /** Null where it cannot be known, which forbids as well. */
  holds?: (boolean | null);
  reading?: (number | null);
  /** Such as `fan-tray-2/fan1 >= 500 {rpm}`. */
  text: string;
  unit?: (string | null);
};

/** JSON Schema of what `configure` takes. */
export type ConfigSchema = {
  schema: Record<string, unknown>;
};

export type ConfirmRequest = {
  /** `confirmation.token` of the armed operation. */
  token: string;
};

/** What a machine has armed, for the one who has to confirm it. */
export type Confirmation = {
  /** What will happen, as a sentence. */
  consequence: string;
  expires_at: string;
  /** Somebody else than the one who asked has to confirm; null on streams. */
  second_person?: (boolean | null);
  /** Where it stands now: `On`, `Off`, `PoweringOn`, `PoweringOff` or `Paused`. */
  state?: (string | null);
  /** Exactly what is meant: id, model, serial number. */
  target: string;
  /** To be sent to `operations/{id}/confirm`; null for whoever may not confirm it, and on streams. */
  token?: (string | null);
};

export type Course = {
  available_features: Array<string>;
  description: string;
  /** Seconds. */
  duration: number;
  featured: boolean;
  id: string;
  instructor: string;
  language: string;
  level: string;
  subject: string;
  title: string;
};

export type CourseDetail = {
  attribution: string;
  canImport: boolean;
  course: CourseWithLectures;
  licenseWarnings: Array<string>;
};

export type CourseResources = {
  assignments: number;
  exams: number;
  reading_materials: number;
};

export type CourseWithLectures = (Course & {
  instructor_bio?: (string | null);
  lectures: Array<Lecture>;
  resources: CourseResources;
});

export type CurriculumDetail = (CurriculumSummary & {
  glossary_terms: Array<Record<string, unknown>>;
  learning_objectives: Array<Record<string, unknown>>;
  topics: Array<Topic>;
});

/** A row of the list, with every field that clients of either kind read. */
export type CurriculumSummary = {
  age_range: string;
  author: string;
  created_at: string;
  description: string;
  difficulty: string;
  id: string;
  keywords: Array<string>;
  language: string;
  /** Counts its changes; the ETag. */
  revision: number;
  status: string;
  title: string;
  topic_count: number;
  topics_count: number;
  updated_at: string;
};

export type CurriculumVersion = {
  replaced_at: string;
  revision: number;
  /** Bytes of the document. */
  size: number;
  title: string;
};

export type Decided = {
  message: string;
};

export type Delivery = {
  attempts: number;
  /** As it is sent. */
  body: string;
  created_at: string;
  finished_at?: (string | null);
  id: string;
  last_error?: (string | null);
  last_status?: (number | null);
  /** Its `webhook-id`, the same at every attempt. */
  message_id: string;
  next_attempt_at?: (string | null);
  /** `pending`, `delivered` or `failed`. */
  state: string;
  /** Such as `events.limit.tripped`. */
  topic: string;
};

export type Device = {
  created_at: string;
  /** Of equipment: when its gateway named it first. */
  enrolled_at: string;
  equipment?: (Equipment | null);
  /** Of equipment: the machine whose guard reads and drives it. */
  gateway?: (string | null);
  /** Of equipment: its gateway's. */
  guard: Guard;
  id: string;
  /** `real` or `simulated` for a machine; `bmc`, `pdu`, `ups`, `cooling`, `sensor` or `gpu` for equipment that a machine manages. */
  kind: string;
  last_seen_at?: (string | null);
  machine?: (Machine | null);
  name: string;
  /** Since when it is shut out because its identity was seen in two places; of equipment: its gateway. `release` lets it in again. */
  quarantined_at?: (string | null);
  revoked_at?: (string | null);
  /** `online` or `offline`. */
  status: string;
  updated_at: string;
};

/** One device with what it measures and drives. */
export type DeviceDetail = (Device & {
  actuators: Array<Actuator>;
  /** The guard evaluates and says what it would do, and drives nothing: nothing is protected. */
  dry_run: boolean;
  /** Where it belongs and stands, and its labels. */
  placement: DeviceLocationRequest;
  /** `never`, `running`, `passed`, `failed` or `overdue`; more at `self-test`. */
  self_test: string;
  series: Array<Series>;
});

export type DeviceLocation = ({
  /** 1 where absent. */
  height_units?: (number | null);
  kilograms?: (number | null);
  labels?: Record<string, string>;
  location?: (string | null);
  organization?: (string | null);
  site?: (string | null);
  /** The lowest rack unit that it takes, from 1 at the bottom. */
  unit?: (number | null);
  /** What it draws at most. */
  watts?: (number | null);
} & {
  device: string;
  record?: (Recorded | null);
});

/** A location gives its site and its organization; a site gives its organization. */
export type DeviceLocationRequest = {
  /** 1 where absent. */
  height_units?: (number | null);
  kilograms?: (number | null);
  labels?: Record<string, string>;
  location?: (string | null);
  organization?: (string | null);
  site?: (string | null);
  /** The lowest rack unit that it takes, from 1 at the bottom. */
  unit?: (number | null);
  /** What it draws at most. */
  watts?: (number | null);
};

export type DeviceRow = {
  change: DeviceSettingsPatch;
  id: string;
  /** The number in the device's ETag; absent: whatever stands there. */
  version?: (number | null);
};

export type DeviceSeries = (Series & {
  /** The machine, or the equipment that it belongs to. */
  device_id: string;
});

/** A name of their own have machines alone: equipment is called as in its gateway's file. A location gives its site and its organization; a site gives its organization. */
export type DeviceSettingsPatch = {
  /** 1 where absent. */
  height_units?: (number | null);
  kilograms?: (number | null);
  labels?: Record<string, string>;
  location?: (string | null);
  name?: (string | null);
  organization?: (string | null);
  site?: (string | null);
  /** The lowest rack unit that it takes, from 1 at the bottom. */
  unit?: (number | null);
  /** What it draws at most. */
  watts?: (number | null);
};

/** What came of the rows, in their order. */
export type DevicesBulk = {
  atomic: boolean;
  /** Rows that were done; of a dry run: that would be. */
  done: number;
  dry_run: boolean;
  refused: number;
  results: Array<RowResult>;
};

export type DevicesBulkRequest = {
  /** Each device once. */
  devices: Array<DeviceRow>;
};

export type DiagramCapabilities = {
  formats: Array<string>;
  renderers: Record<string, boolean>;
};

/** What was done, in 003's words. */
export type Done = {
  curriculum_id: string;
  message: string;
};

/** A rack as it stands, or what stands in a room. */
export type Elevation = {
  /** What stands there in no unit. */
  elsewhere: Array<Standing>;
  location: Location;
  /** From the top down; of a rack alone. */
  units: Array<Unit>;
  used: Used;
};

export type EmailOnly = {
  email: string;
};

export type EnrolmentToken = {
  created_at: string;
  created_by: string;
  expires_at: string;
  id: string;
  name: string;
  organization?: (string | null);
  revoked_at?: (string | null);
  site?: (string | null);
  used_at?: (string | null);
  used_by?: (string | null);
};

export type Equipment = {
  /** Where its gateway reaches it. */
  address: string;
  /** `redfish`, `ipmi`, `nut`, `snmp` … */
  driver: string;
  firmware?: (string | null);
  /** Its name in the guard's file: its sensors and actuators begin with it. */
  key: string;
  model?: (string | null);
  reason?: (string | null);
  serial?: (string | null);
  /** Of an unreachable one: since when, and why. */
  since?: (string | null);
  /** `connecting`, `connected`, `unreachable` or `removed`. */
  state: string;
  vendor?: (string | null);
};

export type Erasure = {
  device_id: string;
  erased_at: string;
};

export type Event = {
  at: string;
  device_id: string;
  id: string;
  /** Such as `limit.tripped`. */
  kind: string;
  message: string;
  reading?: (number | null);
  /** Where they were asked for: raw samples around it, of the series that its subject names. */
  readings?: (Array<SeriesReadings> | null);
  /** `info`, `warning` or `critical`. */
  severity: string;
  /** The limit, actuator or sensor by its name. */
  subject: string;
  threshold?: (number | null);
  unit?: (string | null);
};

export type ExchangeRequest = {
  /** What stood behind `oidc_code=` in the fragment. */
  code: string;
  device: LoginDevice;
};

export type FailedAsset = {
  id: string;
  reason: string;
};

/** One thing that a plugin says of a source. */
export type Fault = {
  code: string;
  column: number;
  /** From 1; 0 where the plugin does not know. */
  line: number;
  message: string;
  severity: string;
};

/** One fault of one field. */
export type FieldError = {
  code: string;
  field: string;
  message: string;
  /** JSON pointer into the body; absent for a query parameter. */
  pointer?: (string | null);
};

export type FirstRun = {
  first_run: boolean;
};

/** In the unit of the limit. */
export type FleetLimitRequest = {
  limit?: (number | null);
  /** The limit's name in `limits`. */
  name: string;
  trip?: (number | null);
  warning?: (number | null);
};

export type FleetLimitState = {
  name: string;
  unit?: (string | null);
  values: Array<FleetValue>;
};

/** What the fleet asks of a machine's limits, and what of it has an effect. */
export type FleetLimits = {
  limits: Array<FleetLimitState>;
  operation?: (Operation | null);
  /** When the machine said how its limits stand; null where it has not, and nothing is known of the effect. */
  reported_at?: (string | null);
  updated_at?: (string | null);
  updated_by?: (string | null);
  /** Counts the changes; 0 where nothing was ever asked. */
  version: number;
  /** How many values change nothing. */
  without_effect: number;
};

export type FleetLimitsRequest = {
  /** The whole layer: limits that are not named lose what the fleet asked of them. */
  limits: Array<FleetLimitRequest>;
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
};

export type FleetValue = {
  asked: number;
  effective: boolean;
  /** The tightest of what the machine says by itself, and whose it is. */
  own?: (number | null);
  own_layer?: (string | null);
  /** Why it changes nothing. */
  reason?: (string | null);
  /** `warning`, `limit` or `trip`. */
  threshold: string;
};

export type ForceState = {
  /** `active`, `warm`, `cool`, `cold` or `dormant`; until somebody uses the machine. */
  state: string;
};

export type FormulaBody = {
  /** `#rrggbb`, `#rgb` or a name of CSS. */
  color?: (string | null);
  /** On a line of its own; as within a text where false. */
  displayMode?: (boolean | null);
  /** Pixels. */
  fontSize?: (number | null);
  latex: string;
  /** `svg` or `png`. */
  outputFormat?: (string | null);
  theme?: (string | null);
};

export type FormulaCapabilities = {
  client_side_supported: boolean;
  renderers: Record<string, boolean>;
};

export type FormulaSource = {
  latex: string;
};

export type FrequencyRequest = {
  /** All ceilings of the machine where absent. */
  actuator?: (string | null);
  /** Hertz to hold the processors under; null gives the ceiling back to the engine. */
  cap_hertz: (number | null);
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
};

/** Ticks without a value, first to last inclusive. */
export type Gap = {
  from_ms: number;
  reason: string;
  to_ms: number;
};

export type Group = ({
  description?: string;
  devices?: Array<string>;
  name: string;
  organization: string;
  /** Over the devices' labels, in Kubernetes' form: `tier=hot,rack in (r1,r2)`. */
  selector?: (string | null);
} & Recorded & {
  id: string;
});

/** It holds devices of its own organization: those that it names, and those that its selector means. */
export type GroupRequest = {
  description?: string;
  devices?: Array<string>;
  name: string;
  organization: string;
  /** Over the devices' labels, in Kubernetes' form: `tier=hot,rack in (r1,r2)`. */
  selector?: (string | null);
};

/** It holds devices of its own organization: those that it names, and those that its selector means. */
export type GroupRequestPatch = {
  description?: string;
  devices?: Array<string>;
  name?: string;
  organization?: string;
  /** Over the devices' labels, in Kubernetes' form: `tier=hot,rack in (r1,r2)`. */
  selector?: (string | null);
};

export type Guard = {
  attached: boolean;
};

/** Health as the flat document has it. */
export type Health = {
  server_time: string;
  status: string;
  uptime_seconds: number;
  version: string;
};

export type HealthHistory = {
  /** The share of the time that is known in which it was online; null where none is known. */
  availability?: (number | null);
  device_id: string;
  from: string;
  offline_seconds: number;
  online_seconds: number;
  /** By time; what none of them covers is not known. */
  periods: Array<HealthPeriod>;
  to: string;
};

export type HealthPeriod = {
  from: string;
  seconds: number;
  /** `online` or `offline`. */
  state: string;
  to: string;
};

export type HeartbeatHeard = {
  server_time: string;
};

export type HeartbeatRequest = {
  /** As `X-Client-ID` says where absent. */
  client_id?: (string | null);
  /** As `X-Client-Name` says where absent. */
  client_name?: (string | null);
  cpu_percent?: (number | null);
  memory_mb?: (number | null);
  /** The client's own word: `online`, `active`, `idle`, `offline` or another. */
  status?: (string | null);
};

export type HistoryPoint = {
  cpu_percent?: (Spread | null);
  disk_percent?: (Spread | null);
  memory_percent?: (Spread | null);
  power_watts?: (Spread | null);
  temperature?: (Spread | null);
  /** The step's begin. */
  timestamp: string;
};

export type HistorySummary = (HistoryPoint & {
  device_id: string;
  from: string;
  to: string;
});

export type Hold = {
  /** The lowest step that it puts off. */
  from: string;
  issuer: string;
  /** `remote` or `local`: whose it is. */
  origin: string;
  /** The step that it puts off now. */
  puts_off?: (string | null);
  reason: string;
  until: string;
};

export type HoldEndRequest = {
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
};

export type HoldRequest = {
  /** How long. The machine's policy bounds it, and the operation's result says to how many seconds. */
  for_seconds: number;
  /** The lowest step that is put off; all from it up to `Quiesce` are: `FansRaised`, `FansFull`, `CapSafe`, `CapMin` or `Quiesce`. */
  from: string;
  /** Why, for the guard's journal and the audit log. */
  reason: string;
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
};

export type Identity = {
  created_at: string;
  /** As the provider said it last. */
  email?: (string | null);
  id: string;
  issuer: string;
  last_used_at?: (string | null);
  provider: string;
  /** What the provider calls one. */
  subject: string;
};

/** What the machine was asked last. */
export type IdleAction = {
  at: string;
  operation_id?: (string | null);
  /** The operation's state then, or why nothing was asked. */
  outcome: string;
  /** Null where nothing was asked. */
  profile?: (string | null);
};

/** What is absent stays as it is. */
export type IdleConfig = {
  /** Is the machine to be asked to save power where nobody uses it? */
  enabled?: (boolean | null);
  /** Minutes after which the machine is cold; the mode's other thresholds give way. */
  idle_timeout_minutes?: (number | null);
  /** `performance`, `balanced`, `power_saver`, `development`, `presentation`, or a power profile's id. A new mode takes its own timeout. */
  power_mode?: (string | null);
};

export type IdleConfigured = {
  message: string;
};

export type IdleMode = {
  builtin: boolean;
  /** As `power_mode` names it. */
  id: string;
  name: string;
  thresholds_seconds?: (IdleThresholds | null);
};

export type IdleStatus = {
  /** Can the machine be asked for what its state means? */
  acts: boolean;
  /** `active`, `warm`, `cool`, `cold` or `dormant`. */
  current_state: string;
  device_id: string;
  idle_enabled: boolean;
  /** Minutes after which it is cold; null where it never is. */
  idle_timeout_minutes?: (number | null);
  keep_awake_until?: (string | null);
  last_action?: (IdleAction | null);
  last_activity: string;
  /** What it turns into if nobody does anything. */
  next_state?: (string | null);
  next_state_at?: (string | null);
  /** A mode's name, or a power profile's id. */
  power_mode: string;
  /** Why not. */
  reason?: (string | null);
  state_since: string;
  thresholds_seconds?: (IdleThresholds | null);
};

/** Seconds without activity after which each state begins. */
export type IdleThresholds = {
  cold: number;
  cool: number;
  dormant: number;
  warm: number;
};

export type IdleTurn = {
  device_id: string;
  from_state: string;
  power_mode: string;
  timestamp: string;
  to_state: string;
};

/** A job as it stands. */
export type ImportProgress = {
  course_id: string;
  created_at: string;
  current_step: string;
  /** The curricula that it made. */
  curriculum_ids: Array<string>;
  errors: Array<string>;
  estimated_completion_at?: (string | null);
  finished_at?: (string | null);
  id: string;
  items_processed: number;
  items_total: number;
  percent_complete: number;
  source_id: string;
  started_at?: (string | null);
  /** `queued`, `in_progress`, `complete`, `failed` or `cancelled`. */
  status: string;
  warnings: Array<string>;
};

export type IndicatorRequest = {
  /** The only light of the device where absent. */
  indicator?: (string | null);
  lit: boolean;
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
};

/** Plugins that are used from the start; all others of those that are there are not. */
export type InitializeRequest = {
  enabled_plugins: Array<string>;
};

export type Initialized = {
  enabled: Array<string>;
  message: string;
};

export type Interlock = {
  /** It forbids now: a condition does not hold, or nobody knows whether it does. */
  active: boolean;
  clears_when: string;
  conditions: Array<Condition>;
  name: string;
  /** The policy's sentence. */
  reason: string;
  /** Since when it is as it is. */
  since: string;
  /** What it stands against, by actuator. */
  targets: Array<string>;
};

export type Invitation = {
  accepted_at?: (string | null);
  accepted_by?: (string | null);
  created_at: string;
  created_by: string;
  email?: (string | null);
  expires_at: string;
  id: string;
  revoked_at?: (string | null);
  role: string;
  scope?: (ScopeBody | null);
  /** `open`, `accepted`, `revoked` or `expired`. */
  state: string;
};

export type InvitationRequest = {
  /** The only address that may use it; anybody's where absent. */
  email?: (string | null);
  /** `user` where absent. Nobody gives more than what is their own. */
  role?: (string | null);
  scope?: (ScopeBody | null);
  /** Seven days where absent, at most thirty. */
  ttl_seconds?: (number | null);
};

export type Job = {
  /** From 1; 0 before the first. */
  attempt: number;
  attempts_most: number;
  created_at: string;
  current_step: string;
  /** Why the last attempt failed. */
  errors: Array<string>;
  finished_at?: (string | null);
  id: string;
  items_processed: number;
  items_total?: (number | null);
  /** `backup`, `report` or `reseal`. */
  kind: string;
  /** When a queued one is tried next. */
  next_attempt_at?: (string | null);
  organization_id?: (string | null);
  percent_complete?: (number | null);
  requested_by: string;
  result?: unknown;
  reversible: boolean;
  schedule_id?: (string | null);
  started_at?: (string | null);
  /** `queued`, `running`, `succeeded`, `failed` or `cancelled`. */
  state: string;
  /** The address of what it makes. */
  target?: (string | null);
  warnings: Array<string>;
};

export type JobRequest = {
  courseId: string;
  createCheckpoints?: (boolean | null);
  generateGlossary?: (boolean | null);
  generateObjectives?: (boolean | null);
  generateSpokenText?: (boolean | null);
  includeAssessments?: (boolean | null);
  includeAssignments?: (boolean | null);
  includeGlossary?: (boolean | null);
  includeLectureNotes?: (boolean | null);
  includeMedia?: (boolean | null);
  includeTranscripts?: (boolean | null);
  /** The id of the curriculum that comes of it. */
  outputName?: (string | null);
  /** All of the course where empty. */
  selectedLectures?: Array<string>;
  sourceId: string;
};

export type KeepAwake = {
  /** Up to a day in all. */
  duration_minutes?: (number | null);
  /** In place of the minutes. */
  duration_seconds?: (number | null);
};

/** How far one machine is. */
export type KeptOn = {
  device_id: string;
  /** Why it failed; it is tried again. */
  reason?: (string | null);
  /** Bytes, while it is sending. */
  sent?: (number | null);
  /** `waiting`, `sending`, `kept` or `failed`. */
  state: string;
  total?: (number | null);
};

export type KindWord = "building" | "room" | "rack";

export type LayersInForce = {
  limit?: (string | null);
  trip?: (string | null);
  warning?: (string | null);
};

export type Lecture = {
  /** Minutes. */
  duration: number;
  has_notes: boolean;
  has_transcript: boolean;
  has_video: boolean;
  id: string;
  title: string;
};

export type Limit = {
  /** What is dangerous: readings `above` the thresholds, or `below` them. */
  direction: string;
  /** What the hardware itself declares. */
  factory: Thresholds;
  /** What the fleet asks for. */
  fleet: Thresholds;
  hold?: (Hold | null);
  hysteresis: number;
  /** Whose values are in force: `factory`, `local` or `fleet`. */
  layer: string;
  /** Of each value in force, whose it is. */
  layers_in_force: LayersInForce;
  limit?: (number | null);
  /** What the file on the machine says. */
  local: Thresholds;
  name: string;
  reading?: (number | null);
  reading_type: string;
  /** The sensors that it watches, by `hw.id`. */
  sensors: Array<string>;
  since: string;
  /** `unknown`, `normal`, `warning`, `limiting`, `tripped` or `failsafe`. */
  state: string;
  /** The step of the ladder that stands, in the engine's word. */
  step?: (string | null);
  trip?: (number | null);
  unit: string;
  /** The values in force: of each the tightest layer's. */
  warning?: (number | null);
  zone: string;
};

export type LinkRequest = {
  provider: string;
  /** A path of this server where the browser is to be in the end; `/` where absent. */
  return_to?: (string | null);
};

/** Where the browser goes to show who it is there. */
export type LinkStart = {
  authorization_url: string;
  /** Seconds that it may take. */
  expires_in: number;
};

export type Links = {
  self: string;
  next?: string;
  prev?: string;
};

export type Location = ({
  /** What its cooling carries away. */
  cooling_watts?: (number | null);
  /** What it bears. */
  kilograms?: (number | null);
  kind: KindWord;
  name: string;
  /** The site or the location that it stands in. */
  parent: string;
  /** Of a rack: its units of 44.45 mm. */
  units?: (number | null);
  /** What its feed takes. */
  watts?: (number | null);
} & Recorded & {
  id: string;
  organization: string;
});

export type LocationRequest = {
  /** What its cooling carries away. */
  cooling_watts?: (number | null);
  /** What it bears. */
  kilograms?: (number | null);
  kind: KindWord;
  name: string;
  /** The site or the location that it stands in. */
  parent: string;
  /** Of a rack: its units of 44.45 mm. */
  units?: (number | null);
  /** What its feed takes. */
  watts?: (number | null);
};

export type LocationRequestPatch = {
  /** What its cooling carries away. */
  cooling_watts?: (number | null);
  /** What it bears. */
  kilograms?: (number | null);
  kind?: KindWord;
  name?: string;
  /** The site or the location that it stands in. */
  parent?: string;
  /** Of a rack: its units of 44.45 mm. */
  units?: (number | null);
  /** What its feed takes. */
  watts?: (number | null);
};

export type Lock = {
  holds_levels: boolean;
  name: string;
  owner: string;
  reason: string;
  since: string;
  /** Null: the machine with all its equipment. */
  target?: (string | null);
  until?: (string | null);
};

export type LockReleaseRequest = {
  /** Why somebody else's lock is lifted; its owner needs none. */
  justification?: (string | null);
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
};

export type LockRequest = {
  /** It also holds fans and caps where they stand. */
  holds_levels?: boolean;
  /** Its name within the device. */
  name: string;
  /** What is being done there. */
  reason: string;
  /** The switch or actuator that is locked; the machine with all its equipment where absent, and of equipment its only switch. */
  target?: (string | null);
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
  /** RFC 3339, or Unix milliseconds as text: it lifts itself then; never where absent. */
  until?: (string | null);
};

/** One entry, as it is sent and as it is shown. */
export type LogEntry = {
  /** As `X-Client-ID` says where absent. */
  client_id?: (string | null);
  /** As `X-Client-Name` says where absent. */
  client_name?: (string | null);
  file?: (string | null);
  function?: (string | null);
  /** The same id of the same client again is the same entry, stored once. One is given where it is absent. */
  id?: (string | null);
  /** The part of the application that says it. */
  label?: (string | null);
  /** `TRACE`, `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`; `INFO` where absent. */
  level?: (string | null);
  line?: (number | null);
  /** At most 16 KiB. */
  message: string;
  /** At most 16 KiB of JSON. */
  metadata?: (Record<string, unknown> | null);
  /** RFC 3339, at most 5 minutes ahead of the server's clock; now where it is absent. */
  timestamp?: (string | null);
};

/** The browser or app that signs in. */
export type LoginDevice = {
  app_version?: (string | null);
  /** Stays the same for the same installation. */
  fingerprint: string;
  model?: (string | null);
  name?: (string | null);
  os_version?: (string | null);
  type?: (string | null);
};

export type LoginRequest = {
  device: LoginDevice;
  email: string;
  password: string;
};

export type LogoutRequest = {
  all_devices?: boolean;
  /** Its session ends; without it, the caller's own. */
  refresh_token?: (string | null);
};

export type LogsCleared = {
  cleared_count: number;
};

export type LogsKept = {
  /** Entries of the request that were not here before. */
  stored: number;
};

export type Machine = {
  agent_version: string;
  arch: string;
  cpus: number;
  hostname: string;
  kernel: string;
  memory_bytes: number;
  os: string;
  product?: (string | null);
  serial?: (string | null);
  vendor?: (string | null);
};

/** Without its text: that may hold what opens an account. */
export type Mail = {
  attempts: number;
  created_at: string;
  finished_at?: (string | null);
  id: string;
  last_error?: (string | null);
  next_attempt_at?: (string | null);
  /** `queued`, `sent`, `dead`, or `not_configured` where it waits for a server. */
  state: string;
  subject: string;
  to: string;
};

export type MapBody = {
  center: MapPoint;
  markers?: Array<Marker>;
  /** `mercator` or `equirectangular`. */
  projection?: (string | null);
  regions?: Array<Region>;
  routes?: Array<Route>;
  /** One of `GET …/maps/styles`; `standard` where absent. */
  style?: (string | null);
  title?: (string | null);
  /** From 1, the world, to 12; each step halves what is seen. */
  zoom?: (number | null);
};

export type MapCapabilities = {
  features: Array<string>;
  renderers: Record<string, boolean>;
  styles: Array<string>;
};

export type MapPoint = {
  latitude: number;
  longitude: number;
};

export type MapStyle = {
  description: string;
  id: string;
  name: string;
};

export type Marker = {
  color?: (string | null);
  label?: (string | null);
  latitude: number;
  longitude: number;
};

export type Me = {
  user: Profile;
};

/** Every machine where nothing is said. */
export type Meant = {
  /** These machines. */
  device_ids?: (Array<string> | null);
  /** Machines whose labels are so. */
  selector?: (string | null);
  /** Machines of this site. */
  site_id?: (string | null);
};

/** The same over an organization. */
export type MemberRequest = {
  email?: (string | null);
  /** `user`, `viewer`, `operator` or `org_admin`. */
  role: string;
  user?: (string | null);
};

export type Message = {
  message: string;
};

export type Meta = {
  request_id: string;
  total?: number;
  page?: number;
  per_page?: number;
  limit?: number;
  next_cursor?: (string | null);
};

/** Something that has a name, in short. */
export type Named = {
  id: string;
  name: string;
};

/** A key just made: the only time that its text is shown. */
export type NewApiKey = {
  api_key: ApiKey;
  key: string;
};

/** A token just made: the only time that its text is shown. */
export type NewEnrolmentToken = {
  expires_at: string;
  id: string;
  name: string;
  token: string;
};

/** An invitation just made: the only time that its secret is shown. */
export type NewInvitation = {
  invitation: Invitation;
  /** What `register` takes as `invitation`. */
  secret: string;
};

export type NewUserRequest = {
  avatar_url?: (string | null);
  display_name?: (string | null);
  email: string;
  locale?: (string | null);
  password: string;
  /** `user` where absent. */
  role?: (string | null);
  timezone?: (string | null);
};

export type Notification = (Recorded & {
  device_id?: (string | null);
  /** Who is told. */
  email: string;
  /** Events of this hour that the next summary counts. */
  held_back: number;
  id: string;
  kinds: Array<string>;
  organization_id?: (string | null);
  per_hour: number;
  severity: string;
});

export type NotificationRequest = {
  device_id?: (string | null);
  /** `limit.*` is every kind that begins so; every kind where absent. */
  kinds?: Array<string>;
  /** Only what its devices tell. */
  organization_id?: (string | null);
  /** Mails an hour, 1 to 60; what is above is summed up. 10 where absent. */
  per_hour?: (number | null);
  /** This and worse: `info`, `warning` or `critical`. */
  severity: string;
};

export type Operation = {
  confirmation?: (Confirmation | null);
  /** Whose second hand it was. */
  confirmed_by?: (string | null);
  created_at: string;
  current_step: string;
  errors: Array<OperationError>;
  estimated_completion_at?: (string | null);
  finished_at?: (string | null);
  id: string;
  items_processed: number;
  items_total: number;
  /** Such as `power.cap.set`. */
  kind: string;
  /** When it is given up where nobody answers. */
  not_after: string;
  percent_complete: number;
  request_id?: (string | null);
  requested_by: string;
  result?: (OperationResult | null);
  reversible: boolean;
  rollback_of?: (string | null);
  started_at?: (string | null);
  /** `queued`, `running`, `armed`, `succeeded`, `failed`, `refused` or `expired`. */
  state: string;
  target: OperationTarget;
  warnings: Array<string>;
};

export type OperationError = {
  code: string;
  details: Record<string, unknown>;
  message: string;
};

/** What the engine made of it, and what the actuator said when it was read back. */
export type OperationResult = {
  asked?: (number | null);
  /** The limit that holds it there. */
  by?: (string | null);
  /** Where it was taken only as far as a limit goes. */
  clamped_to?: (number | null);
  observed?: (number | null);
  /** What a switch said when it was read back. */
  state?: (string | null);
  /** UCUM code. */
  unit?: (string | null);
  verified?: (boolean | null);
};

export type OperationTarget = {
  actuator?: (string | null);
  /** The machine or the equipment. */
  device_id: string;
  /** The machine whose guard acts, where equipment is meant. */
  gateway_id?: (string | null);
  unit?: (string | null);
  /** What was asked for; null where it was to be cleared. */
  value?: (number | null);
  /** What was asked for in a word: a reset type, a profile, a boot source. */
  word?: (string | null);
};

export type Organization = ({
  description?: string;
  name: string;
} & Recorded & {
  id: string;
});

export type OrganizationRequest = {
  description?: string;
  name: string;
};

export type OrganizationRequestPatch = {
  description?: string;
  name?: string;
};

/** An installed component. */
export type Package = {
  author?: (string | null);
  description?: (string | null);
  /** Formats of a renderer, source ids of an importer. */
  handles: Array<string>;
  /** SHA-256 of the component, hexadecimal. */
  hash: string;
  installed_at: string;
  installed_by: string;
  /** `renderer`, `importer` or `collector`. */
  kind?: (string | null);
  licence?: (string | null);
  name?: (string | null);
  /** The id of its manifest, by which everything else names it. */
  plugin_id?: (string | null);
  /** The trusted publisher who signed it; nobody where unsigned components are taken. */
  publisher?: (string | null);
  /** Why it was rejected. */
  reason?: (string | null);
  /** JSON Schema of its settings. */
  settings_schema?: (Record<string, unknown> | null);
  /** Bytes. */
  size: number;
  /** `waiting` until a machine with a sandbox has said what it is, then `described` or `rejected`. */
  state: string;
  version?: (string | null);
  /** What it would reach: `http:host:port`, `mqtt:host:port`; `*` stands for hosts that the operator names. */
  wants: Array<string>;
};

export type PackageRemoved = {
  hash: string;
  removed: boolean;
};

export type PasswordOnly = {
  password: string;
};

export type PasswordRequest = {
  current_password: string;
  new_password: string;
};

export type Picture = {
  /** Base64. */
  data: string;
  height: number;
  mime_type: string;
  /** The plugin that drew it. */
  render_method: string;
  width: number;
};

/** A machine that is meant. */
export type Placed = {
  device_id: string;
  reason?: (string | null);
  /** `waiting`, `compiling`, `ready`, `rejected` or `quarantined`. */
  state: string;
};

/** Where a curriculum is kept. */
export type Placement = (Meant & {
  curriculum_id: string;
  /** Connected machines that are meant. */
  devices: Array<KeptOn>;
  placed_at: string;
  placed_by: string;
});

/** Machines that keep it from now on; every machine where none is said. */
export type PlacementRequest = {
  /** Machines by their ids. */
  device_ids?: (Array<string> | null);
  /** Labels of machines, as in lists: `site=north,tier in (a,b)`. */
  selector?: (string | null);
  /** Machines of a site. */
  site_id?: (string | null);
};

export type Plugin = {
  author: string;
  description: string;
  /** The machines that have it. */
  devices: Array<string>;
  enabled: boolean;
  /** Formats of a renderer, sources of an importer. */
  handles: Array<string>;
  has_config: boolean;
  /** SHA-256 of the component. */
  hash: string;
  /** `renderer` or `importer`. */
  kind: string;
  licence: string;
  name: string;
  plugin_id: string;
  /** Of plugins for the same format the one with the greatest is asked. */
  priority: number;
  /** Why it is not ready. */
  reason?: (string | null);
  /** What every call of it is given as options, where the call does not say otherwise. Texts are shown as `***`: they may be keys. */
  settings: Record<string, unknown>;
  /** `compiling`, `ready`, `rejected` or `quarantined`. */
  state: string;
  /** Since this server started. */
  usage: PluginUsage;
  version: string;
};

export type PluginRemoved = {
  plugin_id: string;
  removed: boolean;
};

export type PluginRequest = {
  enabled?: (boolean | null);
  priority?: (number | null);
  settings?: (Record<string, unknown> | null);
};

/** Calls by how they ended, and their time from order to result. */
export type PluginUsage = {
  calls: number;
  done: number;
  failed: number;
  /** Stopped at a limit. */
  limited: number;
  longest_ms: number;
  /** Wrong or unknown input. */
  refused: number;
  total_ms: number;
  trapped: number;
};

/** Either `cap_watts`, or `reset_type`. */
export type PowerRequest = {
  /** Of a cap: all caps of the machine where absent. */
  actuator?: (string | null);
  /** Watts to hold the power under; null gives the cap back to the engine. */
  cap_watts?: (number | null);
  /** Of a reset: `On`, `Off`, `PoweringOn`, `PoweringOff` or `Paused`, as the caller saw it. Another state refuses it. */
  expected_state?: (string | null);
  /** Why the machine that this aggregator runs on shall be taken down all the same. */
  justification?: (string | null);
  /** `On`, `ForceOff`, `GracefulShutdown`, `GracefulRestart`, `ForceRestart`, `PowerCycle`, `Nmi` or `Suspend`. What may lose work is armed first: its operation is `armed`, and says in `confirmation` what is meant and how it is confirmed. */
  reset_type?: (string | null);
  /** Of a reset: the switch, by its name; the device's own where absent. */
  switch?: (string | null);
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
};

export type PowerStatus = {
  caps: Array<Actuator>;
  online: boolean;
  /** When the machine said so. */
  reported_at?: (string | null);
  /** Where the device's only or own switch stands; null where that is not known. */
  state?: (string | null);
  switches: Array<Switch>;
};

/** What is here now, and what was fetched for it. */
export type PreloadedAssets = {
  failed: Array<FailedAsset>;
  /** By this request. */
  fetched: number;
  message: string;
  /** What time did not suffice for: ask once more. */
  remaining: number;
  total_assets: number;
  total_size_bytes: number;
};

/** The body of every problem, for the OpenAPI documents. `Problem::to_value` writes it. */
export type Problem = {
  code: string;
  detail: string;
  details: Record<string, unknown>;
  error: string;
  field_errors: Array<FieldError>;
  instance: string;
  message: string;
  recovery: string;
  request_id: string;
  /** Seconds; only where waiting helps. */
  retry_after?: number;
  retryable: boolean;
  status: number;
  status_code: number;
  /** Unix milliseconds. */
  timestamp: number;
  title: string;
  /** The error's slug, the same as `error`. */
  type: string;
};

export type Profile = {
  avatar_url?: (string | null);
  created_at: string;
  display_name: string;
  email: string;
  email_verified: boolean;
  id: string;
  last_login_at?: (string | null);
  locale: string;
  mfa_enabled: boolean;
  role: string;
  timezone: string;
};

/** A merge patch, RFC 7396: what is absent stays, what is null goes back to its default. */
export type ProfilePatch = {
  /** An address of https. */
  avatar_url?: (string | null);
  display_name?: string;
  locale?: (string | null);
  timezone?: (string | null);
};

export type ProfileRequest = {
  /** The only one of the device where absent. */
  actuator?: (string | null);
  /** One of the actuator's `profiles`: a governor, a platform profile. */
  profile: string;
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
};

/** Somebody whose signed components are taken. */
export type Publisher = {
  added_at: string;
  added_by: string;
  /** As minisign prints it. */
  key_id: string;
  name: string;
  public_key: string;
};

export type PublisherRemoved = {
  key_id: string;
  removed: boolean;
};

export type PublisherRequest = {
  name: string;
  /** The second line of a `minisign.pub`, or the whole file. */
  public_key: string;
};

export type PutAway = {
  archive_file: string;
  /** SHA-256 of the file, hexadecimal. */
  checksum: string;
  message: string;
};

/** A job that was queued. */
export type QueuedJob = {
  job_id: string;
  status: string;
};

/** Who made a record and who changed it last. Flattened into the resource. */
export type Recorded = {
  created_at: string;
  /** The account that made it; null where it was the server itself. */
  created_by?: (string | null);
  deleted_at?: (string | null);
  /** False once it was deleted; it can be restored. */
  is_active: boolean;
  updated_at: string;
  updated_by?: (string | null);
};

/** Each is good for one sign-in without the app. They are shown once. */
export type RecoveryCodes = {
  recovery_codes: Array<string>;
};

export type RefreshRequest = {
  refresh_token: string;
};

export type Refreshed = {
  tokens: Tokens;
};

/** Points as latitude and longitude. */
export type Region = {
  fillColor?: (string | null);
  fillOpacity?: (number | null);
  label?: (string | null);
  points: Array<Array<number>>;
};

export type RegisterRequest = {
  device: LoginDevice;
  /** The part before the @ where absent. */
  display_name?: (string | null);
  email: string;
  /** The secret of an invitation, where one is needed. */
  invitation?: (string | null);
  /** At least eight characters. */
  password: string;
};

/** A release with the lock that its address names. */
export type Release = {
  /** Why somebody else's lock is lifted; its owner needs none. */
  justification?: (string | null);
  /** The lock's name. */
  lock: string;
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
};

export type Reloaded = {
  curricula_count: number;
  message: string;
};

/** What was removed. */
export type Removed = {
  id: string;
  removed: boolean;
};

export type RenderBody = {
  code: string;
  /** Such as `graphviz`. */
  format: string;
  height?: (number | null);
  /** What the format's own plugin offers, such as `engine` of `graphviz`. */
  options?: Record<string, string>;
  /** `svg` or `png`. */
  outputFormat?: (string | null);
  theme?: (string | null);
  width?: (number | null);
};

export type Report = {
  /** What it says, once it is made. */
  content?: (string | null);
  created_at: string;
  created_by?: (string | null);
  device_id?: (string | null);
  /** Why it could not be made. */
  error?: (string | null);
  from?: (string | null);
  id: string;
  /** The job that makes it. */
  job: string;
  kind: ReportKind;
  last_seconds?: (number | null);
  limit_celsius?: (number | null);
  organization_id?: (string | null);
  site_id?: (string | null);
  /** `queued`, `running`, `succeeded`, `failed` or `cancelled`. */
  state: string;
  to?: (string | null);
};

export type ReportCell = (number | string | null);

export type ReportColumn = {
  name: string;
  unit?: (string | null);
};

/** What a report says. */
export type ReportContent = {
  columns: Array<ReportColumn>;
  from: string;
  /** How it was reckoned, and what is missing. */
  notes: Array<string>;
  rows: Array<Array<ReportCell>>;
  title: string;
  to: string;
};

export type ReportKind = "energy" | "temperature" | "availability" | "events";

/** Either `from` and `to`, or `last_seconds`. */
export type ReportRequest = {
  /** Of one device; without it of a site, an organization or everything. */
  device_id?: (string | null);
  /** RFC 3339. */
  from?: (string | null);
  kind: ReportKind;
  /** Up to when the report is made; a year at most. */
  last_seconds?: (number | null);
  /** Degrees; temperatures only. */
  limit_celsius?: (number | null);
  organization_id?: (string | null);
  site_id?: (string | null);
  /** RFC 3339, exclusive; now where absent. */
  to?: (string | null);
};

export type ResetRequest = {
  new_password: string;
  token: string;
};

/** In days. Hours are kept at least as long as minutes, and these as samples. */
export type Retention = {
  /** Statistics by the hour. */
  hours_days: number;
  /** Statistics by the minute. */
  minutes_days: number;
  samples_days: number;
};

/** What became of a token that was to be revoked. */
export type RevokedToken = {
  id: string;
  revoked: boolean;
};

/** One account's role over one scope. */
export type RoleBinding = (Recorded & {
  id: string;
  /** `user`, `viewer`, `operator` or `org_admin`. */
  role: string;
  scope: BoundScope;
  user: BoundUser;
});

/** Who gets it: by id or by e-mail address. */
export type RoleBindingRequest = {
  email?: (string | null);
  /** `user`, `viewer`, `operator`, or `org_admin` over an organization. */
  role: string;
  scope: ScopeRequest;
  user?: (string | null);
};

/** Where a version runs. */
export type Rollout = (Meant & {
  /** Connected machines that are meant, and how far each is. */
  devices: Array<Placed>;
  /** What it may reach. */
  grants: Array<string>;
  /** The component that runs. */
  hash: string;
  plugin_id: string;
  /** The component that `rollback` goes back to. */
  previous_hash?: (string | null);
  /** What it wants and was not granted: such calls are denied to it. */
  ungranted: Array<string>;
  updated_at: string;
  updated_by: string;
  version?: (string | null);
});

export type RolloutRequest = {
  /** Machines by their ids. */
  device_ids?: (Array<string> | null);
  /** What it may reach, out of what it wants. Absent: what the version before was granted, as far as this one wants no more. */
  grants?: (Array<string> | null);
  /** An installed component of this plugin. */
  hash: string;
  /** Labels of machines, as in lists: `site=north,tier in (a,b)`. */
  selector?: (string | null);
  /** Machines of a site. Every machine where this, `selector` and `device_ids` are absent. */
  site_id?: (string | null);
};

export type RotateRequest = {
  /** How long the secret before signs too: a day where absent, a week at most. */
  overlap_seconds?: (number | null);
};

/** Points as latitude and longitude. */
export type Route = {
  color?: (string | null);
  label?: (string | null);
  points: Array<Array<number>>;
  width?: (number | null);
};

export type RowProblem = {
  error: string;
  field_errors: Array<FieldError>;
  message: string;
};

export type RowResult = {
  id: string;
  problem?: (RowProblem | null);
  /** What the row would have been answered with by itself. */
  status: number;
};

export type RunningProcess = {
  cpu_percent: number;
  memory_mb: number;
  name: string;
  pid: number;
};

export type Schedule = (Recorded & {
  at?: (string | null);
  days: Array<Weekday>;
  enabled: boolean;
  every_seconds?: (number | null);
  id: string;
  kind: string;
  last_job_id?: (string | null);
  name: string;
  /** When it comes next, if it is enabled. */
  next_at?: (string | null);
  organization_id?: (string | null);
  /** What the report is to say. */
  report?: unknown;
  requested_by: string;
  timezone?: (string | null);
});

/** Either `every_seconds`, or `at` with its days and zone. */
export type ScheduleRequest = {
  /** A time of day such as `03:30`. */
  at?: (string | null);
  /** Every day where absent. */
  days?: Array<Weekday>;
  enabled?: (boolean | null);
  /** 60 to a year. */
  every_seconds?: (number | null);
  /** `report` or `backup`; backups are the administrators'. */
  kind: string;
  name: string;
  organization_id?: (string | null);
  /** What the backup's keys are sealed with. It is kept sealed, and stays where a change gives none. */
  passphrase?: (string | null);
  report?: (ReportRequest | null);
  /** Of the IANA database; UTC where absent. */
  timezone?: (string | null);
};

/** A part of the fleet. */
export type ScopeBody = {
  id: string;
  /** `organization`, `site`, `location`, `group` or `device`. */
  kind: string;
};

export type ScopeRequest = {
  id: string;
  /** `organization`, `site`, `location`, `group` or `device`. */
  kind: string;
};

export type SecondFactors = {
  recovery_codes_left: number;
  totp: boolean;
  totp_since?: (string | null);
};

/** What a machine knows of its self-tests; of equipment, its gateway's. */
export type SelfTest = {
  aborted?: (Tested | null);
  /** The guard drives nothing: it can test nothing, and protects nothing. */
  dry_run: boolean;
  /** Null where the machine's policy asks for none. */
  due_at?: (string | null);
  last?: (Tested | null);
  /** When the last one came to its own end. */
  last_tested_at?: (string | null);
  online: boolean;
  overdue: boolean;
  /** When the machine said so. */
  reported_at?: (string | null);
  running_until?: (string | null);
  /** `never`, `running`, `passed`, `failed` or `overdue`. */
  state: string;
};

export type SelfTestRequest = {
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
};

export type Series = {
  attributes: Record<string, string>;
  cadence_ms: number;
  id: string;
  /** OpenTelemetry's name. */
  metric: string;
  /** `guard` or `agent`. */
  reader: string;
  reading_type: string;
  /** UCUM code. */
  unit: string;
};

/** What one group's series come to. */
export type SeriesGroup = {
  attributes?: (Record<string, string> | null);
  /** Samples in each step. */
  counts: Array<number>;
  /** The share of the promised samples that is in each step, at most 1. */
  coverage: Array<number>;
  /** Where it is one series: whose it is and what it measures. */
  device_id?: (string | null);
  gaps: Array<Gap>;
  /** What they have in common; null where they lack the label. */
  group: Record<string, (string | null)>;
  metric?: (string | null);
  results: Array<AggregateResult>;
  series_count: number;
  /** UCUM code of the samples. */
  unit: string;
};

export type SeriesReadings = {
  /** The machine, or the equipment that the series belongs to. */
  device_id: string;
  gaps: Array<Gap>;
  /** Unix milliseconds and the value; by step, null where the step has no sample. */
  points: Array<[number, (number | null)]>;
  series: Series;
};

export type Server = {
  /** Is it the one that answers? */
  current: boolean;
  id: string;
  /** Where its agents connect. */
  ingest: string;
  last_seen: string;
  started_at: string;
  /** `online`, or `offline` where it was not seen for a minute. */
  status: string;
  /** Where its API is. */
  url: string;
  version: string;
};

export type ServiceRequest = {
  /** One of the guard's allow-list. */
  service: string;
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
  /** `pause`, `resume`, `stop` or `start`. */
  verb: string;
};

/** A sign-in that still stands. */
export type Session = {
  created_at: string;
  device: SessionDevice;
  id: string;
  ip_address?: (string | null);
  last_activity_at: string;
  location?: (SessionPlace | null);
  user_agent?: (string | null);
};

export type SessionDevice = {
  name?: (string | null);
  type?: (string | null);
};

export type SessionPlace = {
  city?: (string | null);
  country?: (string | null);
};

export type SettingsRequest = {
  /** As the plugin's schema says, in place of those before. `***` stands for the text that is there. */
  settings: Record<string, unknown>;
};

/** A provider as the sign-in page shows it. */
export type SignInProvider = {
  id: string;
  /** Where a browser signs out at the provider too. */
  logout?: (string | null);
  /** Where a browser begins. */
  start: string;
  title: string;
};

export type SignedIn = {
  device: SignedInDevice;
  tokens: Tokens;
  user: UserSummary;
};

export type SignedInDevice = {
  id: string;
};

export type Site = ({
  address?: string;
  description?: string;
  /** Degrees north, WGS 84; both or neither. */
  latitude?: (number | null);
  /** Degrees east. */
  longitude?: (number | null);
  name: string;
  organization: string;
  /** IANA's name of its time zone; `UTC` where absent. */
  timezone?: string;
} & Recorded & {
  id: string;
});

export type SiteRequest = {
  address?: string;
  description?: string;
  /** Degrees north, WGS 84; both or neither. */
  latitude?: (number | null);
  /** Degrees east. */
  longitude?: (number | null);
  name: string;
  organization: string;
  /** IANA's name of its time zone; `UTC` where absent. */
  timezone?: string;
};

export type SiteRequestPatch = {
  address?: string;
  description?: string;
  /** Degrees north, WGS 84; both or neither. */
  latitude?: (number | null);
  /** Degrees east. */
  longitude?: (number | null);
  name?: string;
  organization?: string;
  /** IANA's name of its time zone; `UTC` where absent. */
  timezone?: string;
};

export type Snapshot = {
  metrics: SystemMetrics;
  processes: Array<RunningProcess>;
  timestamp: string;
};

export type Source = {
  description: string;
  icon_url?: (string | null);
  id: string;
  license_type?: (string | null);
  name: string;
  /** Is a machine connected whose importer is ready? */
  ready: boolean;
  supported_features: Array<string>;
  url?: (string | null);
};

/** With `fields`: these alone, and the id. */
export type SparseApiKey = {
  created_at?: string;
  expires_at?: (string | null);
  id: string;
  last_used_at?: (string | null);
  name?: string;
  /** How its text begins. */
  prefix?: string;
  /** All that it may, as far as its owner may. */
  scopes?: Array<string>;
};

/** With `fields`: these alone, and the id. */
export type SparseArchivedCurriculum = {
  archived_at?: string;
  /** SHA-256 of the file, hexadecimal. */
  checksum?: string;
  curriculum_id?: string;
  curriculum_title?: string;
  file_name?: string;
  /** Bytes. */
  file_size?: number;
};

/** With `fields`: these alone, and the id. */
export type SparseAuditEntry = {
  action?: string;
  actor?: string;
  /** Where it was asked from. */
  address?: (string | null);
  at?: string;
  /** The fields that changed, each with `before` and `after`; secrets are masked. */
  change?: (Record<string, unknown> | null);
  /** `allowed`, `clamped`, `refused` or `failed`. */
  decision?: string;
  details?: Record<string, unknown>;
  /** SHA-256 of the row and the hash before it, in hexadecimal. */
  hash?: (string | null);
  id: string;
  /** Whose chain it stands in; the server's own where absent. */
  organization?: (string | null);
  /** Its number in its chain, from 1. */
  position?: (number | null);
  request_id?: (string | null);
  /** The sign-in under which it was done. */
  session?: (string | null);
  target?: string;
};

/** With `fields`: these alone, and the id. */
export type SparseBackup = {
  bytes?: (number | null);
  /** The file, once it is there. */
  content?: (string | null);
  created_at?: string;
  created_by?: (string | null);
  /** Why it could not be taken. */
  error?: (string | null);
  id: string;
  /** The job that takes it. */
  job?: string;
  /** Of the whole file, hexadecimal. */
  sha256?: (string | null);
  /** `queued`, `running`, `succeeded`, `failed` or `cancelled`. */
  state?: string;
  /** The program's version that took it. */
  version?: (string | null);
};

/** With `fields`: these alone, and the id. */
export type SparseClient = {
  client_id?: string;
  client_name?: string;
  cpu_percent?: (number | null);
  created_at?: string;
  /** `agent` or `application`. */
  kind?: string;
  last_heartbeat?: (string | null);
  logs_sent?: number;
  /** As its last heartbeat said. */
  memory_mb?: (number | null);
  /** Reports of an application; of an agent, the series that it reports now. */
  metrics_sent?: number;
  /** `online`, `idle` or `offline`. */
  status?: string;
};

/** With `fields`: these alone, and the id. */
export type SparseCurriculumSummary = {
  age_range?: string;
  author?: string;
  created_at?: string;
  description?: string;
  difficulty?: string;
  id: string;
  keywords?: Array<string>;
  language?: string;
  /** Counts its changes; the ETag. */
  revision?: number;
  status?: string;
  title?: string;
  topic_count?: number;
  topics_count?: number;
  updated_at?: string;
};

/** With `fields`: these alone, and the id. */
export type SparseDelivery = {
  attempts?: number;
  /** As it is sent. */
  body?: string;
  created_at?: string;
  finished_at?: (string | null);
  id: string;
  last_error?: (string | null);
  last_status?: (number | null);
  /** Its `webhook-id`, the same at every attempt. */
  message_id?: string;
  next_attempt_at?: (string | null);
  /** `pending`, `delivered` or `failed`. */
  state?: string;
  /** Such as `events.limit.tripped`. */
  topic?: string;
};

/** With `fields`: these alone, and the id. */
export type SparseDevice = {
  created_at?: string;
  /** Of equipment: when its gateway named it first. */
  enrolled_at?: string;
  equipment?: (Equipment | null);
  /** Of equipment: the machine whose guard reads and drives it. */
  gateway?: (string | null);
  /** Of equipment: its gateway's. */
  guard?: Guard;
  id: string;
  /** `real` or `simulated` for a machine; `bmc`, `pdu`, `ups`, `cooling`, `sensor` or `gpu` for equipment that a machine manages. */
  kind?: string;
  last_seen_at?: (string | null);
  machine?: (Machine | null);
  name?: string;
  /** Since when it is shut out because its identity was seen in two places; of equipment: its gateway. `release` lets it in again. */
  quarantined_at?: (string | null);
  revoked_at?: (string | null);
  /** `online` or `offline`. */
  status?: string;
  updated_at?: string;
};

/** With `fields`: these alone, and the id. */
export type SparseEnrolmentToken = {
  created_at?: string;
  created_by?: string;
  expires_at?: string;
  id: string;
  name?: string;
  organization?: (string | null);
  revoked_at?: (string | null);
  site?: (string | null);
  used_at?: (string | null);
  used_by?: (string | null);
};

/** With `fields`: these alone, and the id. */
export type SparseEvent = {
  at?: string;
  device_id?: string;
  id: string;
  /** Such as `limit.tripped`. */
  kind?: string;
  message?: string;
  reading?: (number | null);
  /** Where they were asked for: raw samples around it, of the series that its subject names. */
  readings?: (Array<SeriesReadings> | null);
  /** `info`, `warning` or `critical`. */
  severity?: string;
  /** The limit, actuator or sensor by its name. */
  subject?: string;
  threshold?: (number | null);
  unit?: (string | null);
};

/** With `fields`: these alone, and the id. */
export type SparseGroup = {
  description?: string;
  devices?: Array<string>;
  name?: string;
  organization?: string;
  /** Over the devices' labels, in Kubernetes' form: `tier=hot,rack in (r1,r2)`. */
  selector?: (string | null);
  created_at?: string;
  /** The account that made it; null where it was the server itself. */
  created_by?: (string | null);
  deleted_at?: (string | null);
  /** False once it was deleted; it can be restored. */
  is_active?: boolean;
  updated_at?: string;
  updated_by?: (string | null);
  id: string;
};

/** With `fields`: these alone, and the id. */
export type SparseIdentity = {
  created_at?: string;
  /** As the provider said it last. */
  email?: (string | null);
  id: string;
  issuer?: string;
  last_used_at?: (string | null);
  provider?: string;
  /** What the provider calls one. */
  subject?: string;
};

/** With `fields`: these alone, and the id. */
export type SparseInvitation = {
  accepted_at?: (string | null);
  accepted_by?: (string | null);
  created_at?: string;
  created_by?: string;
  email?: (string | null);
  expires_at?: string;
  id: string;
  revoked_at?: (string | null);
  role?: string;
  scope?: (ScopeBody | null);
  /** `open`, `accepted`, `revoked` or `expired`. */
  state?: string;
};

/** With `fields`: these alone, and the id. */
export type SparseJob = {
  /** From 1; 0 before the first. */
  attempt?: number;
  attempts_most?: number;
  created_at?: string;
  current_step?: string;
  /** Why the last attempt failed. */
  errors?: Array<string>;
  finished_at?: (string | null);
  id: string;
  items_processed?: number;
  items_total?: (number | null);
  /** `backup`, `report` or `reseal`. */
  kind?: string;
  /** When a queued one is tried next. */
  next_attempt_at?: (string | null);
  organization_id?: (string | null);
  percent_complete?: (number | null);
  requested_by?: string;
  result?: unknown;
  reversible?: boolean;
  schedule_id?: (string | null);
  started_at?: (string | null);
  /** `queued`, `running`, `succeeded`, `failed` or `cancelled`. */
  state?: string;
  /** The address of what it makes. */
  target?: (string | null);
  warnings?: Array<string>;
};

/** With `fields`: these alone, and the id. */
export type SparseLocation = {
  /** What its cooling carries away. */
  cooling_watts?: (number | null);
  /** What it bears. */
  kilograms?: (number | null);
  kind?: KindWord;
  name?: string;
  /** The site or the location that it stands in. */
  parent?: string;
  /** Of a rack: its units of 44.45 mm. */
  units?: (number | null);
  /** What its feed takes. */
  watts?: (number | null);
  created_at?: string;
  /** The account that made it; null where it was the server itself. */
  created_by?: (string | null);
  deleted_at?: (string | null);
  /** False once it was deleted; it can be restored. */
  is_active?: boolean;
  updated_at?: string;
  updated_by?: (string | null);
  id: string;
  organization?: string;
};

/** With `fields`: these alone, and the id. */
export type SparseLogEntry = {
  /** As `X-Client-ID` says where absent. */
  client_id?: (string | null);
  /** As `X-Client-Name` says where absent. */
  client_name?: (string | null);
  file?: (string | null);
  function?: (string | null);
  /** The same id of the same client again is the same entry, stored once. One is given where it is absent. */
  id: (string | null);
  /** The part of the application that says it. */
  label?: (string | null);
  /** `TRACE`, `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`; `INFO` where absent. */
  level?: (string | null);
  line?: (number | null);
  /** At most 16 KiB. */
  message?: string;
  /** At most 16 KiB of JSON. */
  metadata?: (Record<string, unknown> | null);
  /** RFC 3339, at most 5 minutes ahead of the server's clock; now where it is absent. */
  timestamp?: (string | null);
};

/** With `fields`: these alone, and the id. */
export type SparseMail = {
  attempts?: number;
  created_at?: string;
  finished_at?: (string | null);
  id: string;
  last_error?: (string | null);
  next_attempt_at?: (string | null);
  /** `queued`, `sent`, `dead`, or `not_configured` where it waits for a server. */
  state?: string;
  subject?: string;
  to?: string;
};

/** With `fields`: these alone, and the id. */
export type SparseNotification = {
  created_at?: string;
  /** The account that made it; null where it was the server itself. */
  created_by?: (string | null);
  deleted_at?: (string | null);
  /** False once it was deleted; it can be restored. */
  is_active?: boolean;
  updated_at?: string;
  updated_by?: (string | null);
  device_id?: (string | null);
  /** Who is told. */
  email?: string;
  /** Events of this hour that the next summary counts. */
  held_back?: number;
  id: string;
  kinds?: Array<string>;
  organization_id?: (string | null);
  per_hour?: number;
  severity?: string;
};

/** With `fields`: these alone, and the id. */
export type SparseOperation = {
  confirmation?: (Confirmation | null);
  /** Whose second hand it was. */
  confirmed_by?: (string | null);
  created_at?: string;
  current_step?: string;
  errors?: Array<OperationError>;
  estimated_completion_at?: (string | null);
  finished_at?: (string | null);
  id: string;
  items_processed?: number;
  items_total?: number;
  /** Such as `power.cap.set`. */
  kind?: string;
  /** When it is given up where nobody answers. */
  not_after?: string;
  percent_complete?: number;
  request_id?: (string | null);
  requested_by?: string;
  result?: (OperationResult | null);
  reversible?: boolean;
  rollback_of?: (string | null);
  started_at?: (string | null);
  /** `queued`, `running`, `armed`, `succeeded`, `failed`, `refused` or `expired`. */
  state?: string;
  target?: OperationTarget;
  warnings?: Array<string>;
};

/** With `fields`: these alone, and the id. */
export type SparseOrganization = {
  description?: string;
  name?: string;
  created_at?: string;
  /** The account that made it; null where it was the server itself. */
  created_by?: (string | null);
  deleted_at?: (string | null);
  /** False once it was deleted; it can be restored. */
  is_active?: boolean;
  updated_at?: string;
  updated_by?: (string | null);
  id: string;
};

/** With `fields`: these alone, and the id. */
export type SparseReport = {
  /** What it says, once it is made. */
  content?: (string | null);
  created_at?: string;
  created_by?: (string | null);
  device_id?: (string | null);
  /** Why it could not be made. */
  error?: (string | null);
  from?: (string | null);
  id: string;
  /** The job that makes it. */
  job?: string;
  kind?: ReportKind;
  last_seconds?: (number | null);
  limit_celsius?: (number | null);
  organization_id?: (string | null);
  site_id?: (string | null);
  /** `queued`, `running`, `succeeded`, `failed` or `cancelled`. */
  state?: string;
  to?: (string | null);
};

/** With `fields`: these alone, and the id. */
export type SparseRoleBinding = {
  created_at?: string;
  /** The account that made it; null where it was the server itself. */
  created_by?: (string | null);
  deleted_at?: (string | null);
  /** False once it was deleted; it can be restored. */
  is_active?: boolean;
  updated_at?: string;
  updated_by?: (string | null);
  id: string;
  /** `user`, `viewer`, `operator` or `org_admin`. */
  role?: string;
  scope?: BoundScope;
  user?: BoundUser;
};

/** With `fields`: these alone, and the id. */
export type SparseSchedule = {
  created_at?: string;
  /** The account that made it; null where it was the server itself. */
  created_by?: (string | null);
  deleted_at?: (string | null);
  /** False once it was deleted; it can be restored. */
  is_active?: boolean;
  updated_at?: string;
  updated_by?: (string | null);
  at?: (string | null);
  days?: Array<Weekday>;
  enabled?: boolean;
  every_seconds?: (number | null);
  id: string;
  kind?: string;
  last_job_id?: (string | null);
  name?: string;
  /** When it comes next, if it is enabled. */
  next_at?: (string | null);
  organization_id?: (string | null);
  /** What the report is to say. */
  report?: unknown;
  requested_by?: string;
  timezone?: (string | null);
};

/** With `fields`: these alone, and the id. */
export type SparseSignInProvider = {
  id: string;
  /** Where a browser signs out at the provider too. */
  logout?: (string | null);
  /** Where a browser begins. */
  start?: string;
  title?: string;
};

/** With `fields`: these alone, and the id. */
export type SparseSite = {
  address?: string;
  description?: string;
  /** Degrees north, WGS 84; both or neither. */
  latitude?: (number | null);
  /** Degrees east. */
  longitude?: (number | null);
  name?: string;
  organization?: string;
  /** IANA's name of its time zone; `UTC` where absent. */
  timezone?: string;
  created_at?: string;
  /** The account that made it; null where it was the server itself. */
  created_by?: (string | null);
  deleted_at?: (string | null);
  /** False once it was deleted; it can be restored. */
  is_active?: boolean;
  updated_at?: string;
  updated_by?: (string | null);
  id: string;
};

/** With `fields`: these alone, and the id. */
export type SparseUser = {
  created_at?: string;
  /** The account that made it; null where it was the server itself. */
  created_by?: (string | null);
  deleted_at?: (string | null);
  /** False once it was deleted; it can be restored. */
  is_active?: boolean;
  updated_at?: string;
  updated_by?: (string | null);
  avatar_url?: (string | null);
  disabled?: boolean;
  display_name?: string;
  email?: string;
  email_verified?: boolean;
  id: string;
  last_login_at?: (string | null);
  locale?: string;
  mfa_enabled?: boolean;
  role?: string;
  /** Roles over narrower scopes. */
  roles?: Array<BoundRole>;
  timezone?: string;
};

/** With `fields`: these alone, and the id. */
export type SparseWebhook = {
  created_at?: string;
  /** The account that made it; null where it was the server itself. */
  created_by?: (string | null);
  deleted_at?: (string | null);
  /** False once it was deleted; it can be restored. */
  is_active?: boolean;
  updated_at?: string;
  updated_by?: (string | null);
  device_id?: (string | null);
  /** Why the server disabled it. */
  disabled_reason?: (string | null);
  enabled?: boolean;
  /** Since when no delivery was taken. */
  failing_since?: (string | null);
  id: string;
  name?: string;
  organization_id?: (string | null);
  /** Until then the secret before signs too. */
  previous_secret_until?: (string | null);
  topics?: Array<string>;
  url?: string;
};

/** What was measured in one step. */
export type Spread = {
  avg: number;
  max: number;
  min: number;
};

/** `id` and `name` are null where you don't see what stands there. */
export type Standing = {
  height_units?: (number | null);
  id?: (string | null);
  kilograms?: (number | null);
  name?: (string | null);
  unit?: (number | null);
  watts?: (number | null);
};

/** Of everything; for a caller who does not see everything, of what they sent themselves. */
export type Stats = {
  /** Applications that were heard within a minute, and agents that are connected. */
  online_clients: number;
  /** Aggregators on this database that run. */
  registered_servers: number;
  /** Entries that applications logged, those too that were cleared since. */
  total_logs_received: number;
  /** Reports of applications, and samples of machines since the server started. */
  total_metrics_received: number;
  uptime_seconds: number;
};

export type StreamTicket = {
  /** Seconds. */
  expires_in: number;
  ticket: string;
};

export type Switch = {
  id: string;
  /** The locks that stand against energising it, by their names. */
  locks: Array<string>;
  /** `On`, `Off`, `PoweringOn`, `PoweringOff` or `Paused`; null where it is not known. */
  state?: (string | null);
  /** It did not do within its time what it was asked for last. */
  stuck: boolean;
  verbs: Array<Verb>;
};

export type SystemMetrics = {
  cpu_percent?: (number | null);
  device_id: string;
  disk_percent?: (number | null);
  gpu_percent?: (number | null);
  memory_percent?: (number | null);
  /** Degrees Celsius, of the hottest sensor. */
  temperature?: (number | null);
  timestamp: string;
};

/** A curriculum that was taken, and what it does otherwise than UMCF's schema says. */
export type Taken = {
  curriculum_id: string;
  message: string;
  warnings: Array<string>;
};

export type Tested = {
  actuators: Array<Trial>;
  began_at: string;
  ended_at: string;
  message: string;
  /** `passed`, `failed` or `aborted`. */
  result: string;
};

export type ThermalRequest = {
  /** All fans of the machine where absent. */
  actuator?: (string | null);
  /** A duty of 0 to 1 that no fan turns below; null gives the fans back to the engine. */
  fan_floor: (number | null);
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
};

export type ThermalStatus = {
  fans: Array<Actuator>;
  online: boolean;
  /** When the machine said so. */
  reported_at?: (string | null);
  /** The limits that watch temperatures. */
  temperatures: Array<Limit>;
};

/** Null where a layer says nothing. */
export type Thresholds = {
  limit?: (number | null);
  trip?: (number | null);
  warning?: (number | null);
};

export type TokenForm = {
  /** Tells one app's sign-ins from another's. */
  client_id?: (string | null);
  /** `password` or `refresh_token`. */
  grant_type?: (string | null);
  /** The code of the second factor, for accounts that have one. */
  otp?: (string | null);
  password?: (string | null);
  refresh_token?: (string | null);
  /** The e-mail. */
  username?: (string | null);
};

export type TokenOnly = {
  token: string;
};

export type TokenRequest = {
  /** What the token is for. */
  name?: (string | null);
  /** Where the machine will belong; needed of whoever manages no more than that. */
  organization?: (string | null);
  /** A site of the organization. */
  site?: (string | null);
  /** 600 where absent. */
  ttl_seconds?: (number | null);
};

export type Tokens = {
  access_token: string;
  /** Seconds that the access token holds. */
  expires_in: number;
  refresh_token: string;
  token_type: string;
};

export type Topic = {
  assessment_count: number;
  assets: Array<TopicAsset>;
  description: string;
  /** Seconds. */
  duration: number;
  has_transcript: boolean;
  id: string;
  order_index: number;
  segment_count: number;
  title: string;
};

export type TopicAsset = {
  alt_text?: (string | null);
  description: string;
  format?: (string | null);
  id: string;
  size?: (number | null);
  type: string;
  /** Of an asset that is kept here the path of its content, else what the document says. */
  url?: (string | null);
};

/** What an authenticator app needs. It is shown once. */
export type TotpEnrolment = {
  /** `otpauth://…`, to be shown as a picture. */
  otpauth_uri: string;
  /** Base32, to be typed in. */
  secret: string;
};

/** What is said in a topic, in the document's own words. */
export type Transcript = {
  /** Each term with its `ipa` and `respelling`. */
  pronunciationGuide: Record<string, unknown>;
  segments: Array<Record<string, unknown>>;
  /** ISO 8601. */
  totalDuration: string;
};

export type Trial = {
  actuator: string;
  asked?: (number | null);
  /** From letting go to the read-back that agreed with what was wanted then. */
  back_ms?: (number | null);
  observed?: (number | null);
  /** From asking to the read-back that agreed; null where none did. */
  took_ms?: (number | null);
  unit: string;
};

/** What a plugin made of a call that needs nothing. */
export type Tried = {
  /** Did it answer, whatever it said? */
  answered: boolean;
  duration_ms: number;
  message: string;
};

export type Trip = {
  /** `threshold`, `ladder_exhausted` or `restored`. */
  cause: string;
  clearable: boolean;
  /** What still stands against clearing it. */
  held_by?: (string | null);
  /** The limit's name: a limit has one trip at most. */
  id: string;
  limit: string;
  /** What tripped it. */
  reading?: (number | null);
  since: string;
  threshold?: (number | null);
  unit: string;
};

export type TripClearRequest = {
  /** The limit that tripped, by its name in `limits`. */
  limit: string;
  /** Why it may run again, for the guard's journal and the audit log. */
  reason: string;
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
};

/** As [`TripClearRequest`], for an address that names the trip. */
export type TripReason = {
  /** Why it may run again, for the guard's journal and the audit log. */
  reason: string;
  /** Seconds that the command stays good while the machine is away. */
  ttl_seconds?: (number | null);
};

export type Unit = {
  device?: (Standing | null);
  unit: number;
};

/** By what people said of the devices. */
export type Used = {
  cooling_watts_free?: (number | null);
  kilograms: number;
  kilograms_free?: (number | null);
  units: number;
  /** Null where the location has no such capacity. */
  units_free?: (number | null);
  watts: number;
  watts_free?: (number | null);
};

export type User = (Recorded & {
  avatar_url?: (string | null);
  disabled: boolean;
  display_name: string;
  email: string;
  email_verified: boolean;
  id: string;
  last_login_at?: (string | null);
  locale: string;
  mfa_enabled: boolean;
  role: string;
  /** Roles over narrower scopes. */
  roles: Array<BoundRole>;
  timezone: string;
});

/** A whole account as it is to be; what may be absent goes back to its default. */
export type UserBody = {
  avatar_url?: (string | null);
  disabled?: boolean;
  display_name: string;
  email: string;
  locale?: (string | null);
  role: string;
  timezone?: (string | null);
};

/** A merge patch, RFC 7396. */
export type UserPatch = {
  avatar_url?: (string | null);
  disabled?: (boolean | null);
  display_name?: (string | null);
  email?: (string | null);
  locale?: (string | null);
  role?: (string | null);
  timezone?: (string | null);
};

export type UserSummary = {
  display_name: string;
  email: string;
  id: string;
  role: string;
};

export type ValidateRequest = {
  code: string;
  /** Such as `graphviz`. */
  format: string;
};

export type Validation = {
  errors: Array<Fault>;
  valid: boolean;
  warnings: Array<Fault>;
};

export type Verb = {
  /** It is armed first, and has to be confirmed. */
  destructive: boolean;
  /** Locks, trips and interlocks stand against it. */
  energises: boolean;
  reset_type: string;
};

export type VerifyRequest = {
  /** What the refused sign-in gave. */
  challenge: string;
  /** Six digits of the app, or a recovery code. */
  code: string;
};

export type Webhook = (Recorded & {
  device_id?: (string | null);
  /** Why the server disabled it. */
  disabled_reason?: (string | null);
  enabled: boolean;
  /** Since when no delivery was taken. */
  failing_since?: (string | null);
  id: string;
  name: string;
  organization_id?: (string | null);
  /** Until then the secret before signs too. */
  previous_secret_until?: (string | null);
  topics: Array<string>;
  url: string;
});

export type WebhookRequest = {
  /** Only what is about this device. */
  device_id?: (string | null);
  enabled?: (boolean | null);
  name: string;
  /** Only what is about its devices. Without it the webhook is the server's. */
  organization_id?: (string | null);
  /** `events`, `operations`, `devices`. */
  topics: Array<string>;
  /** Of http or https, on the public network. */
  url: string;
};

/** A webhook with its new secret: the only time that it is shown. */
export type WebhookSecret = (Webhook & {
  /** What deliveries are verified with, as Standard Webhooks has it. */
  secret: string;
});

export type Weekday = "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday";

export type Withdrawn = {
  curriculum_id: string;
  removed: boolean;
};

export interface Operations {
  /** Is the server healthy?. `GET /api/v1/health` */
  health_get: {
    response: {
      data: Health;
      meta: Meta;
      links: Links;
    };
  };
  /** The audit trail, newest first. `GET /api/v1/audit` */
  audit_list: {
    query: { actor?: string; action?: string; target?: string; decision?: string; organization?: string; from?: string; to?: string; cursor?: string; limit?: number; per_page?: number; pageSize?: number; "filter[at]"?: (string | number); "filter[actor]"?: string; "filter[action]"?: string; "filter[target]"?: string; "filter[decision]"?: "allowed" | "clamped" | "refused" | "failed"; "filter[request_id]"?: string; "filter[organization]"?: string; "filter[session]"?: string; "filter[address]"?: string; fields?: string };
    response: {
      data: Array<(AuditEntry | SparseAuditEntry)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Do the audit trail's chains hold?. `GET /api/v1/audit/verify` */
  audit_verify_get: {
    response: {
      data: AuditVerification;
      meta: Meta;
      links: Links;
    };
  };
  /** Several requests in one. `POST /api/v1/batch-requests` */
  batch_requests: {
    headers: { "Idempotency-Key"?: string };
    body: BatchRequests;
    response: {
      data: BatchAnswers;
      meta: Meta;
      links: Links;
    };
  };
  /** List plugins. `GET /api/v1/plugins` */
  plugins_list: {
    response: {
      data: Array<Plugin>;
      meta: Meta;
      links: Links;
    };
  };
  /** Install a signed component. `POST /api/v1/plugins` */
  plugins_create: {
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Package;
      meta: Meta;
      links: Links;
    };
  };
  /** Has nobody chosen plugins yet?. `GET /api/v1/plugins/first-run` */
  plugins_first_run_get: {
    response: {
      data: FirstRun;
      meta: Meta;
      links: Links;
    };
  };
  /** Choose plugins for the first time. `POST /api/v1/plugins/initialize` */
  plugins_initialize: {
    headers: { "Idempotency-Key"?: string };
    body: InitializeRequest;
    response: {
      data: Initialized;
      meta: Meta;
      links: Links;
    };
  };
  /** Installed components, the newest first. `GET /api/v1/plugins/packages` */
  plugins_packages_list: {
    response: {
      data: Array<Package>;
      meta: Meta;
      links: Links;
    };
  };
  /** One installed component. `GET /api/v1/plugins/packages/{hash}` */
  plugins_packages_get: {
    path: { hash: string };
    response: {
      data: Package;
      meta: Meta;
      links: Links;
    };
  };
  /** Remove a component. `DELETE /api/v1/plugins/packages/{hash}` */
  plugins_packages_delete: {
    path: { hash: string };
    response: {
      data: PackageRemoved;
      meta: Meta;
      links: Links;
    };
  };
  /** Whose components are taken. `GET /api/v1/plugins/publishers` */
  plugins_publishers_list: {
    response: {
      data: Array<Publisher>;
      meta: Meta;
      links: Links;
    };
  };
  /** Trust a publisher. `POST /api/v1/plugins/publishers` */
  plugins_publishers_create: {
    headers: { "Idempotency-Key"?: string };
    body: PublisherRequest;
    response: {
      data: Publisher;
      meta: Meta;
      links: Links;
    };
  };
  /** Trust a publisher no more. `DELETE /api/v1/plugins/publishers/{key_id}` */
  plugins_publishers_delete: {
    path: { key_id: string };
    response: {
      data: PublisherRemoved;
      meta: Meta;
      links: Links;
    };
  };
  /** One plugin. `GET /api/v1/plugins/{plugin_id}` */
  plugins_get: {
    path: { plugin_id: string };
    response: {
      data: Plugin;
      meta: Meta;
      links: Links;
    };
  };
  /** Remove a plugin. `DELETE /api/v1/plugins/{plugin_id}` */
  plugins_delete: {
    path: { plugin_id: string };
    response: {
      data: PluginRemoved;
      meta: Meta;
      links: Links;
    };
  };
  /** Decide of a plugin. `PUT /api/v1/plugins/{plugin_id}` */
  plugins_replace: {
    path: { plugin_id: string };
    body: PluginRequest;
    response: {
      data: Plugin;
      meta: Meta;
      links: Links;
    };
  };
  /** Where a plugin runs. `GET /api/v1/plugins/{plugin_id}/rollout` */
  plugins_rollout_get: {
    path: { plugin_id: string };
    response: {
      data: Rollout;
      meta: Meta;
      links: Links;
    };
  };
  /** Run a version on machines. `PUT /api/v1/plugins/{plugin_id}/rollout` */
  plugins_rollout_replace: {
    path: { plugin_id: string };
    body: RolloutRequest;
    response: {
      data: Rollout;
      meta: Meta;
      links: Links;
    };
  };
  /** Run the version before again. `POST /api/v1/plugins/{plugin_id}/rollback` */
  plugins_rollback: {
    path: { plugin_id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Rollout;
      meta: Meta;
      links: Links;
    };
  };
  /** Use a plugin. `POST /api/v1/plugins/{plugin_id}/enable` */
  plugins_enable: {
    path: { plugin_id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Decided;
      meta: Meta;
      links: Links;
    };
  };
  /** Use a plugin no more. `POST /api/v1/plugins/{plugin_id}/disable` */
  plugins_disable: {
    path: { plugin_id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Decided;
      meta: Meta;
      links: Links;
    };
  };
  /** Set what a plugin is told. `POST /api/v1/plugins/{plugin_id}/configure` */
  plugins_configure: {
    path: { plugin_id: string };
    headers: { "Idempotency-Key"?: string };
    body: SettingsRequest;
    response: {
      data: Decided;
      meta: Meta;
      links: Links;
    };
  };
  /** What can be set. `GET /api/v1/plugins/{plugin_id}/config-schema` */
  plugins_config_schema_get: {
    path: { plugin_id: string };
    response: {
      data: ConfigSchema;
      meta: Meta;
      links: Links;
    };
  };
  /** Call a plugin once. `POST /api/v1/plugins/{plugin_id}/test` */
  plugins_test: {
    path: { plugin_id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Tried;
      meta: Meta;
      links: Links;
    };
  };
  /** The server's statistics. `GET /api/v1/stats` */
  stats_get: {
    response: {
      data: Stats;
      meta: Meta;
      links: Links;
    };
  };
  /** The aggregators on this database. `GET /api/v1/servers` */
  servers_list: {
    response: {
      data: Array<Server>;
      meta: Meta;
      links: Links;
    };
  };
  /** Connected sources of logs and metrics. `GET /api/v1/clients` */
  clients_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[client_id]"?: string; "filter[client_name]"?: string; "filter[kind]"?: "agent" | "application"; "filter[status]"?: "online" | "idle" | "offline"; "filter[last_heartbeat]"?: (string | number); "filter[created_at]"?: (string | number); "filter[logs_sent]"?: number; "filter[metrics_sent]"?: number; "filter[memory_mb]"?: number; "filter[cpu_percent]"?: number; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Client | SparseClient)>;
      meta: Meta;
      links: Links;
    };
  };
  /** An application is there. `POST /api/v1/clients/heartbeat` */
  clients_heartbeat: {
    headers: { "X-Client-ID"?: string; "X-Client-Name"?: string; "Idempotency-Key"?: string };
    body: HeartbeatRequest;
    response: {
      data: HeartbeatHeard;
      meta: Meta;
      links: Links;
    };
  };
  /** Log one entry or several. `POST /api/v1/logs` */
  logs_create: {
    headers: { "X-Client-ID"?: string; "X-Client-Name"?: string; "Idempotency-Key"?: string };
    body: (LogEntry | Array<LogEntry>);
    response: {
      data: LogsKept;
      meta: Meta;
      links: Links;
    };
  };
  /** What applications logged, the last first. `GET /api/v1/logs` */
  logs_list: {
    query: { cursor?: string; limit?: number; per_page?: number; pageSize?: number; level?: string; label?: string; since?: string; q?: string; client_id?: string; "filter[timestamp]"?: (string | number); "filter[level]"?: "TRACE" | "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL"; "filter[label]"?: string; "filter[message]"?: string; "filter[file]"?: string; "filter[function]"?: string; "filter[client_id]"?: string; "filter[client_name]"?: string; "filter[id]"?: string; fields?: string };
    response: {
      data: Array<(LogEntry | SparseLogEntry)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Remove all entries. `DELETE /api/v1/logs` */
  logs_delete: {
    response: {
      data: LogsCleared;
      meta: Meta;
      links: Links;
    };
  };
  /** One machine's state. `GET /api/v1/system/metrics` */
  system_metrics_get: {
    query: { device?: string };
    response: {
      data: SystemMetrics;
      meta: Meta;
      links: Links;
    };
  };
  /** The same with its processes. `GET /api/v1/system/snapshot` */
  system_snapshot_get: {
    query: { device?: string };
    response: {
      data: Snapshot;
      meta: Meta;
      links: Links;
    };
  };
  /** How idle a machine is. `GET /api/v1/system/idle/status` */
  system_idle_status_get: {
    query: { device?: string };
    response: {
      data: IdleStatus;
      meta: Meta;
      links: Links;
    };
  };
  /** When a machine is how idle, by mode. `GET /api/v1/system/idle/modes` */
  system_idle_modes_list: {
    response: {
      data: Array<IdleMode>;
      meta: Meta;
      links: Links;
    };
  };
  /** How a machine turned, newest first. `GET /api/v1/system/idle/history` */
  system_idle_history_list: {
    query: { device?: string; limit?: number };
    response: {
      data: Array<IdleTurn>;
      meta: Meta;
      links: Links;
    };
  };
  /** Manage a machine's idleness. `POST /api/v1/system/idle/config` */
  system_idle_config: {
    query: { device?: string };
    headers: { "Idempotency-Key"?: string };
    body: IdleConfig;
    response: {
      data: IdleConfigured;
      meta: Meta;
      links: Links;
    };
  };
  /** Keep a machine active. `POST /api/v1/system/idle/keep-awake` */
  system_idle_keep_awake: {
    query: { device?: string };
    headers: { "Idempotency-Key"?: string };
    body: KeepAwake;
    response: {
      data: Awake;
      meta: Meta;
      links: Links;
    };
  };
  /** Let a machine be idle again. `POST /api/v1/system/idle/cancel-keep-awake` */
  system_idle_cancel_keep_awake: {
    query: { device?: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Awake;
      meta: Meta;
      links: Links;
    };
  };
  /** Let a machine be as idle. `POST /api/v1/system/idle/force-state` */
  system_idle_force_state: {
    query: { device?: string };
    headers: { "Idempotency-Key"?: string };
    body: ForceState;
    response: {
      data: IdleStatus;
      meta: Meta;
      links: Links;
    };
  };
  /** A machine's state by the hour. `GET /api/v1/system/history/hourly` */
  system_history_hourly_list: {
    query: { device?: string; hours?: number };
    response: {
      data: Array<HistoryPoint>;
      meta: Meta;
      links: Links;
    };
  };
  /** A machine's state by the day. `GET /api/v1/system/history/daily` */
  system_history_daily_list: {
    query: { device?: string; days?: number };
    response: {
      data: Array<HistoryPoint>;
      meta: Meta;
      links: Links;
    };
  };
  /** A machine's state over some days. `GET /api/v1/system/history/summary` */
  system_history_summary_get: {
    query: { device?: string; days?: number };
    response: {
      data: HistorySummary;
      meta: Meta;
      links: Links;
    };
  };
  /** When a machine's agent was connected. `GET /api/v1/devices/{id}/health-history` */
  devices_health_history_get: {
    path: { id: string };
    query: { from?: string; to?: string };
    response: {
      data: HealthHistory;
      meta: Meta;
      links: Links;
    };
  };
  /** A device's state by step. `GET /api/v1/devices/{id}/history` */
  devices_history_list: {
    path: { id: string };
    query: { step?: string; count?: number };
    response: {
      data: Array<HistoryPoint>;
      meta: Meta;
      links: Links;
    };
  };
  /** A machine's processes. `GET /api/v1/devices/{id}/processes` */
  devices_processes_list: {
    path: { id: string };
    response: {
      data: Array<RunningProcess>;
      meta: Meta;
      links: Links;
    };
  };
  /** Make an account. `POST /api/v1/auth/register` */
  auth_register: {
    body: RegisterRequest;
    response: {
      data: SignedIn;
      meta: Meta;
      links: Links;
    };
  };
  /** Sign in. `POST /api/v1/auth/login` */
  auth_login: {
    body: LoginRequest;
    response: {
      data: SignedIn;
      meta: Meta;
      links: Links;
    };
  };
  /** Sign in by OAuth2's form. `POST /api/v1/auth/token` */
  auth_token: {
    response: Record<string, unknown>;
  };
  /** Exchange a refresh token. `POST /api/v1/auth/refresh` */
  auth_refresh: {
    body: RefreshRequest;
    response: {
      data: Refreshed;
      meta: Meta;
      links: Links;
    };
  };
  /** Sign out. `POST /api/v1/auth/logout` */
  auth_logout: {
    body: LogoutRequest;
    response: {
      data: Message;
      meta: Meta;
      links: Links;
    };
  };
  /** Who am I?. `GET /api/v1/auth/me` */
  auth_me_get: {
    response: {
      data: Me;
      meta: Meta;
      links: Links;
    };
  };
  /** Change one's profile. `PATCH /api/v1/auth/me` */
  auth_me_update: {
    body: ProfilePatch;
    response: {
      data: Me;
      meta: Meta;
      links: Links;
    };
  };
  /** Change one's password. `POST /api/v1/auth/password` */
  auth_password: {
    body: PasswordRequest;
    response: {
      data: Message;
      meta: Meta;
      links: Links;
    };
  };
  /** Browsers and apps of one's own. `GET /api/v1/auth/devices` */
  auth_devices_list: {
    response: {
      data: Array<AuthDevice>;
      meta: Meta;
      links: Links;
    };
  };
  /** Remove a browser or app. `DELETE /api/v1/auth/devices/{id}` */
  auth_devices_delete: {
    path: { id: string };
    response: {
      data: Message;
      meta: Meta;
      links: Links;
    };
  };
  /** One's sessions. `GET /api/v1/auth/sessions` */
  auth_sessions_list: {
    response: {
      data: Array<Session>;
      meta: Meta;
      links: Links;
    };
  };
  /** End a session. `DELETE /api/v1/auth/sessions/{id}` */
  auth_sessions_delete: {
    path: { id: string };
    response: {
      data: Message;
      meta: Meta;
      links: Links;
    };
  };
  /** Verify one's address. `POST /api/v1/auth/verify-email` */
  auth_verify_email: {
    body: TokenOnly;
    response: {
      data: Message;
      meta: Meta;
      links: Links;
    };
  };
  /** Ask for a letter to verify one's address. `POST /api/v1/auth/verify-email/request` */
  auth_verify_email_request: {
    response: {
      data: Message;
      meta: Meta;
      links: Links;
    };
  };
  /** Ask for a letter to set a new password. `POST /api/v1/auth/password-reset/request` */
  auth_password_reset_request: {
    body: EmailOnly;
    response: {
      data: Message;
      meta: Meta;
      links: Links;
    };
  };
  /** Set a new password. `POST /api/v1/auth/password-reset/confirm` */
  auth_password_reset_confirm: {
    body: ResetRequest;
    response: {
      data: Message;
      meta: Meta;
      links: Links;
    };
  };
  /** Whom one may sign in with. `GET /api/v1/auth/providers` */
  auth_providers_list: {
    query: { "filter[id]"?: string; "filter[title]"?: string; "filter[start]"?: string; "filter[logout]"?: string; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(SignInProvider | SparseSignInProvider)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Go to a provider to sign in. `GET /api/v1/auth/oidc/{provider}/start` */
  auth_oidc_start_get: {
    path: { provider: string };
    query: { return_to?: string };
    response: unknown;
  };
  /** Come back from a provider. `GET /api/v1/auth/oidc/{provider}/callback` */
  auth_oidc_callback_get: {
    path: { provider: string };
    query: { state?: string; code?: string; error?: string; error_description?: string; iss?: string };
    response: unknown;
  };
  /** Sign out at a provider. `GET /api/v1/auth/oidc/{provider}/logout` */
  auth_oidc_logout_get: {
    path: { provider: string };
    response: unknown;
  };
  /** Exchange a sign-in's code. `POST /api/v1/auth/oidc/exchange` */
  auth_oidc_exchange: {
    body: ExchangeRequest;
    response: {
      data: SignedIn;
      meta: Meta;
      links: Links;
    };
  };
  /** Who one is elsewhere. `GET /api/v1/auth/identities` */
  auth_identities_list: {
    query: { "filter[provider]"?: string; "filter[issuer]"?: string; "filter[subject]"?: string; "filter[email]"?: string; "filter[created_at]"?: (string | number); "filter[last_used_at]"?: (string | number); "filter[id]"?: string; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Identity | SparseIdentity)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Link an identity. `POST /api/v1/auth/identities` */
  auth_identities_create: {
    body: LinkRequest;
    response: {
      data: LinkStart;
      meta: Meta;
      links: Links;
    };
  };
  /** Unlink an identity. `DELETE /api/v1/auth/identities/{id}` */
  auth_identities_delete: {
    path: { id: string };
    response: {
      data: Message;
      meta: Meta;
      links: Links;
    };
  };
  /** One's second factors. `GET /api/v1/auth/mfa` */
  auth_mfa_get: {
    response: {
      data: SecondFactors;
      meta: Meta;
      links: Links;
    };
  };
  /** Finish signing in with a code. `POST /api/v1/auth/mfa/verify` */
  auth_mfa_verify: {
    body: VerifyRequest;
    response: {
      data: SignedIn;
      meta: Meta;
      links: Links;
    };
  };
  /** Begin with an authenticator app. `POST /api/v1/auth/mfa/totp` */
  auth_mfa_totp: {
    response: {
      data: TotpEnrolment;
      meta: Meta;
      links: Links;
    };
  };
  /** Take the second factor off. `DELETE /api/v1/auth/mfa/totp` */
  auth_mfa_totp_delete: {
    body: PasswordOnly;
    response: {
      data: Message;
      meta: Meta;
      links: Links;
    };
  };
  /** Show that the app has it. `POST /api/v1/auth/mfa/totp/confirm` */
  auth_mfa_totp_confirm: {
    body: CodeRequest;
    response: {
      data: RecoveryCodes;
      meta: Meta;
      links: Links;
    };
  };
  /** New recovery codes. `POST /api/v1/auth/mfa/recovery-codes` */
  auth_mfa_recovery_codes: {
    body: PasswordOnly;
    response: {
      data: RecoveryCodes;
      meta: Meta;
      links: Links;
    };
  };
  /** One's API keys. `GET /api/v1/auth/api-keys` */
  auth_api_keys_list: {
    query: { "filter[name]"?: string; "filter[prefix]"?: string; "filter[created_at]"?: (string | number); "filter[expires_at]"?: (string | number); "filter[last_used_at]"?: (string | number); "filter[id]"?: string; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(ApiKey | SparseApiKey)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Make an API key. `POST /api/v1/auth/api-keys` */
  auth_api_keys_create: {
    body: ApiKeyRequest;
    response: {
      data: NewApiKey;
      meta: Meta;
      links: Links;
    };
  };
  /** Revoke an API key. `DELETE /api/v1/auth/api-keys/{id}` */
  auth_api_keys_delete: {
    path: { id: string };
    response: {
      data: Message;
      meta: Meta;
      links: Links;
    };
  };
  /** Invitations. `GET /api/v1/invitations` */
  invitations_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[email]"?: string; "filter[role]"?: "user" | "viewer" | "operator" | "org_admin" | "superuser"; "filter[state]"?: "open" | "accepted" | "revoked" | "expired"; "filter[created_at]"?: (string | number); "filter[created_by]"?: string; "filter[expires_at]"?: (string | number); "filter[accepted_at]"?: (string | number); "filter[accepted_by]"?: string; "filter[revoked_at]"?: (string | number); "filter[id]"?: string; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Invitation | SparseInvitation)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Invite somebody. `POST /api/v1/invitations` */
  invitations_create: {
    headers: { "Idempotency-Key"?: string };
    body: InvitationRequest;
    response: {
      data: NewInvitation;
      meta: Meta;
      links: Links;
    };
  };
  /** One invitation. `GET /api/v1/invitations/{id}` */
  invitations_get: {
    path: { id: string };
    response: {
      data: Invitation;
      meta: Meta;
      links: Links;
    };
  };
  /** Withdraw an invitation. `DELETE /api/v1/invitations/{id}` */
  invitations_delete: {
    path: { id: string };
    response: {
      data: Invitation;
      meta: Meta;
      links: Links;
    };
  };
  /** Accounts. `GET /api/v1/users` */
  users_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[email]"?: string; "filter[display_name]"?: string; "filter[role]"?: "user" | "viewer" | "operator" | "org_admin" | "superuser"; "filter[disabled]"?: boolean; "filter[email_verified]"?: boolean; "filter[mfa_enabled]"?: boolean; "filter[locale]"?: string; "filter[timezone]"?: string; "filter[last_login_at]"?: (string | number); "filter[created_at]"?: (string | number); "filter[updated_at]"?: (string | number); "filter[id]"?: string; "filter[deleted]"?: boolean; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(User | SparseUser)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Make an account for somebody. `POST /api/v1/users` */
  users_create: {
    headers: { "Idempotency-Key"?: string };
    body: NewUserRequest;
    response: {
      data: User;
      meta: Meta;
      links: Links;
    };
  };
  /** One account. `GET /api/v1/users/{id}` */
  users_get: {
    path: { id: string };
    headers: { "If-None-Match"?: string };
    response: {
      data: User;
      meta: Meta;
      links: Links;
    };
  };
  /** Replace an account. `PUT /api/v1/users/{id}` */
  users_replace: {
    path: { id: string };
    headers: { "If-Match": string };
    body: UserBody;
    response: {
      data: User;
      meta: Meta;
      links: Links;
    };
  };
  /** Change an account. `PATCH /api/v1/users/{id}` */
  users_update: {
    path: { id: string };
    headers: { "If-Match": string; "Idempotency-Key"?: string };
    body: UserPatch;
    response: {
      data: User;
      meta: Meta;
      links: Links;
    };
  };
  /** Delete an account. `DELETE /api/v1/users/{id}` */
  users_delete: {
    path: { id: string };
    query: { purge?: boolean };
    headers: { "If-Match": string };
    response: {
      data: User;
      meta: Meta;
      links: Links;
    };
  };
  /** Restore an account. `POST /api/v1/users/{id}/restore` */
  users_restore: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: User;
      meta: Meta;
      links: Links;
    };
  };
  /** List organizations. `GET /api/v1/organizations` */
  organizations_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[name]"?: string; "filter[organization]"?: string; "filter[parent]"?: string; "filter[created_at]"?: (string | number); "filter[created_by]"?: string; "filter[updated_at]"?: (string | number); "filter[updated_by]"?: string; "filter[id]"?: string; "filter[deleted]"?: boolean; organization?: string; parent?: string; deleted?: boolean; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Organization | SparseOrganization)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Make an organization. `POST /api/v1/organizations` */
  organizations_create: {
    headers: { "Idempotency-Key"?: string };
    body: OrganizationRequest;
    response: {
      data: Organization;
      meta: Meta;
      links: Links;
    };
  };
  /** Look at an organization. `GET /api/v1/organizations/{id}` */
  organizations_get: {
    path: { id: string };
    headers: { "If-None-Match"?: string };
    response: {
      data: Organization;
      meta: Meta;
      links: Links;
    };
  };
  /** Replace an organization. `PUT /api/v1/organizations/{id}` */
  organizations_replace: {
    path: { id: string };
    headers: { "If-Match": string };
    body: OrganizationRequest;
    response: {
      data: Organization;
      meta: Meta;
      links: Links;
    };
  };
  /** Change an organization. `PATCH /api/v1/organizations/{id}` */
  organizations_update: {
    path: { id: string };
    headers: { "If-Match": string; "Idempotency-Key"?: string };
    body: OrganizationRequestPatch;
    response: {
      data: Organization;
      meta: Meta;
      links: Links;
    };
  };
  /** Delete an organization. `DELETE /api/v1/organizations/{id}` */
  organizations_delete: {
    path: { id: string };
    query: { purge?: boolean };
    headers: { "If-Match": string };
    response: {
      data: Organization;
      meta: Meta;
      links: Links;
    };
  };
  /** Bring an organization back. `POST /api/v1/organizations/{id}/restore` */
  organizations_restore: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Organization;
      meta: Meta;
      links: Links;
    };
  };
  /** List sites. `GET /api/v1/sites` */
  sites_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[name]"?: string; "filter[organization]"?: string; "filter[parent]"?: string; "filter[created_at]"?: (string | number); "filter[created_by]"?: string; "filter[updated_at]"?: (string | number); "filter[updated_by]"?: string; "filter[id]"?: string; "filter[deleted]"?: boolean; organization?: string; parent?: string; deleted?: boolean; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Site | SparseSite)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Make a site. `POST /api/v1/sites` */
  sites_create: {
    headers: { "Idempotency-Key"?: string };
    body: SiteRequest;
    response: {
      data: Site;
      meta: Meta;
      links: Links;
    };
  };
  /** Look at a site. `GET /api/v1/sites/{id}` */
  sites_get: {
    path: { id: string };
    headers: { "If-None-Match"?: string };
    response: {
      data: Site;
      meta: Meta;
      links: Links;
    };
  };
  /** Replace a site. `PUT /api/v1/sites/{id}` */
  sites_replace: {
    path: { id: string };
    headers: { "If-Match": string };
    body: SiteRequest;
    response: {
      data: Site;
      meta: Meta;
      links: Links;
    };
  };
  /** Change a site. `PATCH /api/v1/sites/{id}` */
  sites_update: {
    path: { id: string };
    headers: { "If-Match": string; "Idempotency-Key"?: string };
    body: SiteRequestPatch;
    response: {
      data: Site;
      meta: Meta;
      links: Links;
    };
  };
  /** Delete a site. `DELETE /api/v1/sites/{id}` */
  sites_delete: {
    path: { id: string };
    query: { purge?: boolean };
    headers: { "If-Match": string };
    response: {
      data: Site;
      meta: Meta;
      links: Links;
    };
  };
  /** Bring a site back. `POST /api/v1/sites/{id}/restore` */
  sites_restore: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Site;
      meta: Meta;
      links: Links;
    };
  };
  /** List locations. `GET /api/v1/locations` */
  locations_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[name]"?: string; "filter[kind]"?: "building" | "room" | "rack"; "filter[organization]"?: string; "filter[parent]"?: string; "filter[created_at]"?: (string | number); "filter[created_by]"?: string; "filter[updated_at]"?: (string | number); "filter[updated_by]"?: string; "filter[id]"?: string; "filter[deleted]"?: boolean; organization?: string; parent?: string; deleted?: boolean; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Location | SparseLocation)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Make a building, room or rack. `POST /api/v1/locations` */
  locations_create: {
    headers: { "Idempotency-Key"?: string };
    body: LocationRequest;
    response: {
      data: Location;
      meta: Meta;
      links: Links;
    };
  };
  /** Look at a building, room or rack. `GET /api/v1/locations/{id}` */
  locations_get: {
    path: { id: string };
    headers: { "If-None-Match"?: string };
    response: {
      data: Location;
      meta: Meta;
      links: Links;
    };
  };
  /** Replace a building, room or rack. `PUT /api/v1/locations/{id}` */
  locations_replace: {
    path: { id: string };
    headers: { "If-Match": string };
    body: LocationRequest;
    response: {
      data: Location;
      meta: Meta;
      links: Links;
    };
  };
  /** Change a building, room or rack. `PATCH /api/v1/locations/{id}` */
  locations_update: {
    path: { id: string };
    headers: { "If-Match": string; "Idempotency-Key"?: string };
    body: LocationRequestPatch;
    response: {
      data: Location;
      meta: Meta;
      links: Links;
    };
  };
  /** Delete a building, room or rack. `DELETE /api/v1/locations/{id}` */
  locations_delete: {
    path: { id: string };
    query: { purge?: boolean };
    headers: { "If-Match": string };
    response: {
      data: Location;
      meta: Meta;
      links: Links;
    };
  };
  /** Bring a building, room or rack back. `POST /api/v1/locations/{id}/restore` */
  locations_restore: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Location;
      meta: Meta;
      links: Links;
    };
  };
  /** List groups. `GET /api/v1/groups` */
  groups_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[name]"?: string; "filter[organization]"?: string; "filter[parent]"?: string; "filter[created_at]"?: (string | number); "filter[created_by]"?: string; "filter[updated_at]"?: (string | number); "filter[updated_by]"?: string; "filter[id]"?: string; "filter[deleted]"?: boolean; organization?: string; parent?: string; deleted?: boolean; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Group | SparseGroup)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Make a group of devices. `POST /api/v1/groups` */
  groups_create: {
    headers: { "Idempotency-Key"?: string };
    body: GroupRequest;
    response: {
      data: Group;
      meta: Meta;
      links: Links;
    };
  };
  /** Look at a group of devices. `GET /api/v1/groups/{id}` */
  groups_get: {
    path: { id: string };
    headers: { "If-None-Match"?: string };
    response: {
      data: Group;
      meta: Meta;
      links: Links;
    };
  };
  /** Replace a group of devices. `PUT /api/v1/groups/{id}` */
  groups_replace: {
    path: { id: string };
    headers: { "If-Match": string };
    body: GroupRequest;
    response: {
      data: Group;
      meta: Meta;
      links: Links;
    };
  };
  /** Change a group of devices. `PATCH /api/v1/groups/{id}` */
  groups_update: {
    path: { id: string };
    headers: { "If-Match": string; "Idempotency-Key"?: string };
    body: GroupRequestPatch;
    response: {
      data: Group;
      meta: Meta;
      links: Links;
    };
  };
  /** Delete a group of devices. `DELETE /api/v1/groups/{id}` */
  groups_delete: {
    path: { id: string };
    query: { purge?: boolean };
    headers: { "If-Match": string };
    response: {
      data: Group;
      meta: Meta;
      links: Links;
    };
  };
  /** Bring a group of devices back. `POST /api/v1/groups/{id}/restore` */
  groups_restore: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Group;
      meta: Meta;
      links: Links;
    };
  };
  /** Who has a role over it. `GET /api/v1/organizations/{id}/members` */
  organizations_members_list: {
    path: { id: string };
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[user]"?: string; "filter[email]"?: string; "filter[display_name]"?: string; "filter[role]"?: "user" | "viewer" | "operator" | "org_admin" | "superuser"; "filter[created_at]"?: (string | number); "filter[updated_at]"?: (string | number); "filter[id]"?: string; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(RoleBinding | SparseRoleBinding)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Give a role over it. `POST /api/v1/organizations/{id}/members` */
  organizations_members_create: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    body: MemberRequest;
    response: {
      data: RoleBinding;
      meta: Meta;
      links: Links;
    };
  };
  /** Take the role over it back. `DELETE /api/v1/organizations/{id}/members/{user}` */
  organizations_members_delete: {
    path: { id: string; user: string };
    response: {
      data: RoleBinding;
      meta: Meta;
      links: Links;
    };
  };
  /** What stands where. `GET /api/v1/locations/{id}/elevation` */
  locations_elevation_get: {
    path: { id: string };
    response: {
      data: Elevation;
      meta: Meta;
      links: Links;
    };
  };
  /** Where a device stands. `GET /api/v1/devices/{id}/location` */
  devices_location_get: {
    path: { id: string };
    headers: { "If-None-Match"?: string };
    response: {
      data: DeviceLocation;
      meta: Meta;
      links: Links;
    };
  };
  /** Place a device, and label it. `PUT /api/v1/devices/{id}/location` */
  devices_location_replace: {
    path: { id: string };
    query: { dry_run?: boolean };
    headers: { "If-Match": string };
    body: DeviceLocationRequest;
    response: {
      data: DeviceLocation;
      meta: Meta;
      links: Links;
    };
  };
  /** Roles over one scope. `GET /api/v1/role-bindings` */
  role_bindings_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; scope_kind: string; scope: string; "filter[user]"?: string; "filter[email]"?: string; "filter[display_name]"?: string; "filter[role]"?: "user" | "viewer" | "operator" | "org_admin" | "superuser"; "filter[created_at]"?: (string | number); "filter[updated_at]"?: (string | number); "filter[id]"?: string; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(RoleBinding | SparseRoleBinding)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Give a role over a scope. `POST /api/v1/role-bindings` */
  role_bindings_create: {
    headers: { "Idempotency-Key"?: string };
    body: RoleBindingRequest;
    response: {
      data: RoleBinding;
      meta: Meta;
      links: Links;
    };
  };
  /** Take a role back. `DELETE /api/v1/role-bindings/{id}` */
  role_bindings_delete: {
    path: { id: string };
    response: {
      data: RoleBinding;
      meta: Meta;
      links: Links;
    };
  };
  /** Devices, by another name. `GET /api/v1/modules` */
  modules_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[name]"?: string; "filter[kind]"?: "real" | "simulated" | "bmc" | "pdu" | "ups" | "cooling" | "sensor" | "gpu"; "filter[status]"?: "online" | "offline"; "filter[gateway]"?: string; "filter[organization]"?: string; "filter[site]"?: string; "filter[location]"?: string; "filter[last_seen_at]"?: (string | number); "filter[enrolled_at]"?: (string | number); "filter[revoked_at]"?: (string | number); "filter[quarantined_at]"?: (string | number); "filter[created_at]"?: (string | number); "filter[updated_at]"?: (string | number); "filter[id]"?: string; kind?: "real" | "simulated" | "bmc" | "pdu" | "ups" | "cooling" | "sensor" | "gpu"; gateway?: string; q?: string; sort?: string; fields?: string; include?: string; labels?: string };
    response: {
      data: Array<(Device | SparseDevice)>;
      meta: Meta;
      links: Links;
      /** What `include` asked for. */
      included?: {
        placements?: Array<DeviceLocation>;
        organizations?: Array<Named>;
        sites?: Array<Named>;
        locations?: Array<Named>;
      };
    };
  };
  /** A device, by another name. `GET /api/v1/modules/{id}` */
  modules_get: {
    path: { id: string };
    query: { include?: string };
    response: {
      data: DeviceDetail;
      meta: Meta;
      links: Links;
    };
  };
  /** List devices. `GET /api/v1/devices` */
  devices_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[name]"?: string; "filter[kind]"?: "real" | "simulated" | "bmc" | "pdu" | "ups" | "cooling" | "sensor" | "gpu"; "filter[status]"?: "online" | "offline"; "filter[gateway]"?: string; "filter[organization]"?: string; "filter[site]"?: string; "filter[location]"?: string; "filter[last_seen_at]"?: (string | number); "filter[enrolled_at]"?: (string | number); "filter[revoked_at]"?: (string | number); "filter[quarantined_at]"?: (string | number); "filter[created_at]"?: (string | number); "filter[updated_at]"?: (string | number); "filter[id]"?: string; kind?: "real" | "simulated" | "bmc" | "pdu" | "ups" | "cooling" | "sensor" | "gpu"; gateway?: string; q?: string; sort?: string; fields?: string; include?: string; labels?: string };
    response: {
      data: Array<(Device | SparseDevice)>;
      meta: Meta;
      links: Links;
      /** What `include` asked for. */
      included?: {
        placements?: Array<DeviceLocation>;
        organizations?: Array<Named>;
        sites?: Array<Named>;
        locations?: Array<Named>;
      };
    };
  };
  /** Name, place and label many devices. `POST /api/v1/devices:bulk` */
  devices_bulk: {
    query: { atomic?: boolean; dry_run?: boolean };
    headers: { "Idempotency-Key"?: string };
    body: DevicesBulkRequest;
    response: {
      data: DevicesBulk;
      meta: Meta;
      links: Links;
    };
  };
  /** One device, its series and actuators. `GET /api/v1/devices/{id}` */
  devices_get: {
    path: { id: string };
    query: { include?: string };
    response: {
      data: DeviceDetail;
      meta: Meta;
      links: Links;
    };
  };
  /** Name, place and label a device. `PATCH /api/v1/devices/{id}` */
  devices_update: {
    path: { id: string };
    query: { dry_run?: boolean };
    headers: { "If-Match": string; "Idempotency-Key"?: string };
    body: DeviceSettingsPatch;
    response: {
      data: DeviceDetail;
      meta: Meta;
      links: Links;
    };
  };
  /** Limits and their states. `GET /api/v1/devices/{id}/limits` */
  devices_limits_list: {
    path: { id: string };
    response: {
      data: Array<Limit>;
      meta: Meta;
      links: Links;
    };
  };
  /** Put steps of a limit's ladder off. `POST /api/v1/devices/{id}/limits/{limit}/hold` */
  devices_limits_hold: {
    path: { id: string; limit: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "Idempotency-Key"?: string };
    body: HoldRequest;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** Lift the hold on a limit's ladder. `POST /api/v1/devices/{id}/limits/{limit}/release` */
  devices_limits_release: {
    path: { id: string; limit: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "Idempotency-Key"?: string };
    body: HoldEndRequest;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** The last self-test. `GET /api/v1/devices/{id}/self-test` */
  devices_self_test_get: {
    path: { id: string };
    response: {
      data: SelfTest;
      meta: Meta;
      links: Links;
    };
  };
  /** Try fans and caps by simulated readings. `POST /api/v1/devices/{id}/self-test` */
  devices_self_test_create: {
    path: { id: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "Idempotency-Key"?: string };
    body: SelfTestRequest;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** The fleet's limits. `GET /api/v1/devices/{id}/fleet-limits` */
  devices_fleet_limits_get: {
    path: { id: string };
    headers: { "If-None-Match"?: string };
    response: {
      data: FleetLimits;
      meta: Meta;
      links: Links;
    };
  };
  /** Set the fleet's limits. `PUT /api/v1/devices/{id}/fleet-limits` */
  devices_fleet_limits_replace: {
    path: { id: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "If-Match": string };
    body: FleetLimitsRequest;
    response: {
      data: FleetLimits;
      meta: Meta;
      links: Links;
    };
  };
  /** Interlocks and conditions. `GET /api/v1/devices/{id}/interlocks` */
  devices_interlocks_list: {
    path: { id: string };
    response: {
      data: Array<Interlock>;
      meta: Meta;
      links: Links;
    };
  };
  /** Switches and power caps. `GET /api/v1/devices/{id}/power` */
  devices_power_get: {
    path: { id: string };
    response: {
      data: PowerStatus;
      meta: Meta;
      links: Links;
    };
  };
  /** Switch it, or set or clear a power cap. `POST /api/v1/devices/{id}/power` */
  devices_power_create: {
    path: { id: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "Idempotency-Key"?: string };
    body: PowerRequest;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** Fans and temperatures. `GET /api/v1/devices/{id}/thermal` */
  devices_thermal_get: {
    path: { id: string };
    response: {
      data: ThermalStatus;
      meta: Meta;
      links: Links;
    };
  };
  /** Set or clear a fan floor. `POST /api/v1/devices/{id}/thermal` */
  devices_thermal_create: {
    path: { id: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "Idempotency-Key"?: string };
    body: ThermalRequest;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** Latched trips. `GET /api/v1/devices/{id}/trips` */
  devices_trips_list: {
    path: { id: string };
    response: {
      data: Array<Trip>;
      meta: Meta;
      links: Links;
    };
  };
  /** Clear a latched trip by its limit. `POST /api/v1/devices/{id}/trips/clear` */
  devices_trips_clear: {
    path: { id: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "Idempotency-Key"?: string };
    body: TripClearRequest;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** Clear a latched trip. `POST /api/v1/devices/{id}/trips/{limit}/clear` */
  devices_trips_clear_by_limit: {
    path: { id: string; limit: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "Idempotency-Key"?: string };
    body: TripReason;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** Lock-outs. `GET /api/v1/devices/{id}/locks` */
  devices_locks_list: {
    path: { id: string };
    response: {
      data: Array<Lock>;
      meta: Meta;
      links: Links;
    };
  };
  /** Set a lock-out. `POST /api/v1/devices/{id}/locks` */
  devices_locks_create: {
    path: { id: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "Idempotency-Key"?: string };
    body: LockRequest;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** Lift a lock-out. `POST /api/v1/devices/{id}/locks/{lock}/release` */
  devices_locks_release: {
    path: { id: string; lock: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "Idempotency-Key"?: string };
    body: LockReleaseRequest;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** Light the identify light, or put it out. `POST /api/v1/devices/{id}/indicator` */
  devices_indicator: {
    path: { id: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "Idempotency-Key"?: string };
    body: IndicatorRequest;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** Choose the next boot's source. `POST /api/v1/devices/{id}/boot-once` */
  devices_boot_once: {
    path: { id: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "Idempotency-Key"?: string };
    body: BootOnceRequest;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** Pause, resume, stop or start a service. `POST /api/v1/devices/{id}/services` */
  devices_services: {
    path: { id: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "Idempotency-Key"?: string };
    body: ServiceRequest;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** Set or clear a ceiling of the frequency. `POST /api/v1/devices/{id}/frequency` */
  devices_frequency: {
    path: { id: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "Idempotency-Key"?: string };
    body: FrequencyRequest;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** Set a profile. `POST /api/v1/devices/{id}/profile` */
  devices_profile: {
    path: { id: string };
    query: { not_after?: string; stands_for?: number; origin?: string };
    headers: { "Idempotency-Key"?: string };
    body: ProfileRequest;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** What would the machine say to a command?. `POST /api/v1/devices/{id}/actions:validate` */
  devices_actions_validate: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    body: ActionRequest;
    response: {
      data: ActionValidation;
      meta: Meta;
      links: Links;
    };
  };
  /** A machine's certificate. `GET /api/v1/devices/{id}/certificate` */
  devices_certificate_get: {
    path: { id: string };
    response: {
      data: Certificate;
      meta: Meta;
      links: Links;
    };
  };
  /** Take a machine's certificate back. `DELETE /api/v1/devices/{id}/certificate` */
  devices_certificate_delete: {
    path: { id: string };
    response: {
      data: Certificate;
      meta: Meta;
      links: Links;
    };
  };
  /** Let a quarantined machine in again. `POST /api/v1/devices/{id}/release` */
  devices_release: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Device;
      meta: Meta;
      links: Links;
    };
  };
  /** List operations. `GET /api/v1/operations` */
  operations_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; device?: string; "filter[kind]"?: string; "filter[state]"?: "queued" | "running" | "armed" | "succeeded" | "failed" | "refused" | "expired"; "filter[requested_by]"?: string; "filter[confirmed_by]"?: string; "filter[request_id]"?: string; "filter[created_at]"?: (string | number); "filter[started_at]"?: (string | number); "filter[finished_at]"?: (string | number); "filter[id]"?: string; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Operation | SparseOperation)>;
      meta: Meta;
      links: Links;
    };
  };
  /** One operation. `GET /api/v1/operations/{id}` */
  operations_get: {
    path: { id: string };
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** Confirm what is armed. `POST /api/v1/operations/{id}/confirm` */
  operations_confirm: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    body: ConfirmRequest;
    response: {
      data: Operation;
      meta: Meta;
      links: Links;
    };
  };
  /** List enrolment tokens. `GET /api/v1/enrolment-tokens` */
  enrolment_tokens_list: {
    query: { "filter[name]"?: string; "filter[organization]"?: string; "filter[site]"?: string; "filter[created_by]"?: string; "filter[created_at]"?: (string | number); "filter[expires_at]"?: (string | number); "filter[used_at]"?: (string | number); "filter[used_by]"?: string; "filter[revoked_at]"?: (string | number); "filter[id]"?: string; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(EnrolmentToken | SparseEnrolmentToken)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Make an enrolment token. `POST /api/v1/enrolment-tokens` */
  enrolment_tokens_create: {
    headers: { "Idempotency-Key"?: string };
    body: TokenRequest;
    response: {
      data: NewEnrolmentToken;
      meta: Meta;
      links: Links;
    };
  };
  /** Revoke a token. `DELETE /api/v1/enrolment-tokens/{id}` */
  enrolment_tokens_delete: {
    path: { id: string };
    response: {
      data: RevokedToken;
      meta: Meta;
      links: Links;
    };
  };
  /** A ticket for one stream. `POST /api/v1/auth/ws-ticket` */
  auth_ws_ticket: {
    response: {
      data: StreamTicket;
      meta: Meta;
      links: Links;
    };
  };
  /** Readings over a range. `GET /api/v1/devices/{id}/readings` */
  devices_readings_list: {
    path: { id: string };
    query: { device?: string; reading_type?: string; metric?: string; series?: string; labels?: string; from?: string; to?: string; step?: string; aggregate?: string; include?: string };
    response: {
      data: Array<SeriesReadings>;
      meta: Meta;
      links: Links;
    };
  };
  /** Series across devices. `GET /api/v1/series` */
  series_list: {
    query: { device?: string; reading_type?: string; metric?: string; series?: string; labels?: string; include?: string; cursor?: string; limit?: number; per_page?: number; pageSize?: number };
    response: {
      data: Array<DeviceSeries>;
      meta: Meta;
      links: Links;
    };
  };
  /** Readings over a range, across devices. `GET /api/v1/readings` */
  readings_list: {
    query: { device?: string; reading_type?: string; metric?: string; series?: string; labels?: string; from?: string; to?: string; step?: string; aggregate?: string; include?: string };
    response: {
      data: Array<SeriesReadings>;
      meta: Meta;
      links: Links;
    };
  };
  /** Series put together by step. `GET /api/v1/readings:aggregate` */
  readings_aggregate_list: {
    query: { device?: string; reading_type?: string; metric?: string; series?: string; labels?: string; include?: string; from?: string; to?: string; step?: string; points?: number; aggregate?: string; group_by?: string };
    response: {
      data: Array<SeriesGroup>;
      meta: Meta;
      links: Links;
    };
  };
  /** The same, asked by a body. `POST /api/v1/readings:aggregate` */
  readings_aggregate_create: {
    headers: { "Idempotency-Key"?: string };
    body: AggregateRequest;
    response: {
      data: Array<SeriesGroup>;
      meta: Meta;
      links: Links;
    };
  };
  /** A device's events, newest first. `GET /api/v1/devices/{id}/events` */
  devices_events_list: {
    path: { id: string };
    query: { kind?: string; subject?: string; severity?: string; from?: string; to?: string; cursor?: string; limit?: number; per_page?: number; pageSize?: number; include?: string; window_seconds?: number; "filter[at]"?: (string | number); "filter[device_id]"?: string; "filter[kind]"?: string; "filter[severity]"?: "info" | "warning" | "critical"; "filter[subject]"?: string; "filter[message]"?: string; "filter[reading]"?: number; "filter[threshold]"?: number; "filter[unit]"?: string; fields?: string };
    response: {
      data: Array<(Event | SparseEvent)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Erase everything that a machine has measured. `DELETE /api/v1/devices/{id}/telemetry` */
  devices_telemetry_delete: {
    path: { id: string };
    response: {
      data: Erasure;
      meta: Meta;
      links: Links;
    };
  };
  /** How long telemetry is kept. `GET /api/v1/retention` */
  retention_get: {
    response: {
      data: Retention;
      meta: Meta;
      links: Links;
    };
  };
  /** Set how long telemetry is kept. `PUT /api/v1/retention` */
  retention_replace: {
    body: Retention;
    response: {
      data: Retention;
      meta: Meta;
      links: Links;
    };
  };
  /** Events, newest first. `GET /api/v1/events` */
  events_list: {
    query: { device?: string; kind?: string; subject?: string; severity?: string; from?: string; to?: string; cursor?: string; limit?: number; per_page?: number; pageSize?: number; include?: string; window_seconds?: number; "filter[at]"?: (string | number); "filter[device_id]"?: string; "filter[kind]"?: string; "filter[severity]"?: "info" | "warning" | "critical"; "filter[subject]"?: string; "filter[message]"?: string; "filter[reading]"?: number; "filter[threshold]"?: number; "filter[unit]"?: string; fields?: string };
    response: {
      data: Array<(Event | SparseEvent)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Work in the background, newest first. `GET /api/v1/jobs` */
  jobs_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[kind]"?: "backup" | "report" | "reseal"; "filter[state]"?: "queued" | "running" | "succeeded" | "failed" | "cancelled"; "filter[organization_id]"?: string; "filter[schedule_id]"?: string; "filter[requested_by]"?: string; "filter[target]"?: string; "filter[attempt]"?: number; "filter[created_at]"?: (string | number); "filter[started_at]"?: (string | number); "filter[finished_at]"?: (string | number); "filter[id]"?: string; kind?: "backup" | "report" | "reseal"; state?: "queued" | "running" | "succeeded" | "failed" | "cancelled"; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Job | SparseJob)>;
      meta: Meta;
      links: Links;
    };
  };
  /** One job. `GET /api/v1/jobs/{id}` */
  jobs_get: {
    path: { id: string };
    response: {
      data: Job;
      meta: Meta;
      links: Links;
    };
  };
  /** End a job. `POST /api/v1/jobs/{id}/cancel` */
  jobs_cancel: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Job;
      meta: Meta;
      links: Links;
    };
  };
  /** Queue a job anew that came to nothing. `POST /api/v1/jobs/{id}/retry` */
  jobs_retry: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Job;
      meta: Meta;
      links: Links;
    };
  };
  /** What makes jobs at their times. `GET /api/v1/schedules` */
  schedules_list: {
    query: { "filter[name]"?: string; "filter[kind]"?: "backup" | "report" | "reseal"; "filter[organization_id]"?: string; "filter[enabled]"?: boolean; "filter[next_at]"?: (string | number); "filter[requested_by]"?: string; "filter[created_at]"?: (string | number); "filter[created_by]"?: string; "filter[updated_at]"?: (string | number); "filter[updated_by]"?: string; "filter[id]"?: string; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Schedule | SparseSchedule)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Have a job made at its times. `POST /api/v1/schedules` */
  schedules_create: {
    headers: { "Idempotency-Key"?: string };
    body: ScheduleRequest;
    response: {
      data: Schedule;
      meta: Meta;
      links: Links;
    };
  };
  /** One schedule. `GET /api/v1/schedules/{id}` */
  schedules_get: {
    path: { id: string };
    headers: { "If-None-Match"?: string };
    response: {
      data: Schedule;
      meta: Meta;
      links: Links;
    };
  };
  /** Replace a schedule. `PUT /api/v1/schedules/{id}` */
  schedules_replace: {
    path: { id: string };
    headers: { "If-Match": string };
    body: ScheduleRequest;
    response: {
      data: Schedule;
      meta: Meta;
      links: Links;
    };
  };
  /** Remove a schedule. `DELETE /api/v1/schedules/{id}` */
  schedules_delete: {
    path: { id: string };
    headers: { "If-Match": string };
    response: {
      data: Removed;
      meta: Meta;
      links: Links;
    };
  };
  /** Mail that was sent, waits, or was taken by nobody. `GET /api/v1/mail` */
  mail_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[to]"?: string; "filter[subject]"?: string; "filter[state]"?: "queued" | "sent" | "dead"; "filter[attempts]"?: number; "filter[last_error]"?: string; "filter[created_at]"?: (string | number); "filter[finished_at]"?: (string | number); "filter[id]"?: string; state?: "queued" | "sent" | "dead"; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Mail | SparseMail)>;
      meta: Meta;
      links: Links;
    };
  };
  /** What one is told of by mail. `GET /api/v1/notifications` */
  notifications_list: {
    query: { "filter[email]"?: string; "filter[severity]"?: "info" | "warning" | "critical"; "filter[device_id]"?: string; "filter[organization_id]"?: string; "filter[per_hour]"?: number; "filter[held_back]"?: number; "filter[created_at]"?: (string | number); "filter[created_by]"?: string; "filter[updated_at]"?: (string | number); "filter[updated_by]"?: string; "filter[id]"?: string; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Notification | SparseNotification)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Be told of events by mail. `POST /api/v1/notifications` */
  notifications_create: {
    headers: { "Idempotency-Key"?: string };
    body: NotificationRequest;
    response: {
      data: Notification;
      meta: Meta;
      links: Links;
    };
  };
  /** Be told no more. `DELETE /api/v1/notifications/{id}` */
  notifications_delete: {
    path: { id: string };
    response: {
      data: Removed;
      meta: Meta;
      links: Links;
    };
  };
  /** List webhooks. `GET /api/v1/webhooks` */
  webhooks_list: {
    query: { "filter[name]"?: string; "filter[url]"?: string; "filter[device_id]"?: string; "filter[organization_id]"?: string; "filter[enabled]"?: boolean; "filter[failing_since]"?: (string | number); "filter[created_at]"?: (string | number); "filter[created_by]"?: string; "filter[updated_at]"?: (string | number); "filter[updated_by]"?: string; "filter[id]"?: string; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Webhook | SparseWebhook)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Have what happens posted to a receiver. `POST /api/v1/webhooks` */
  webhooks_create: {
    headers: { "Idempotency-Key"?: string };
    body: WebhookRequest;
    response: {
      data: WebhookSecret;
      meta: Meta;
      links: Links;
    };
  };
  /** One webhook. `GET /api/v1/webhooks/{id}` */
  webhooks_get: {
    path: { id: string };
    headers: { "If-None-Match"?: string };
    response: {
      data: Webhook;
      meta: Meta;
      links: Links;
    };
  };
  /** Replace a webhook. `PUT /api/v1/webhooks/{id}` */
  webhooks_replace: {
    path: { id: string };
    headers: { "If-Match": string };
    body: WebhookRequest;
    response: {
      data: Webhook;
      meta: Meta;
      links: Links;
    };
  };
  /** Remove a webhook. `DELETE /api/v1/webhooks/{id}` */
  webhooks_delete: {
    path: { id: string };
    headers: { "If-Match": string };
    response: {
      data: Removed;
      meta: Meta;
      links: Links;
    };
  };
  /** Give a webhook a new secret, beside the one before for a while. `POST /api/v1/webhooks/{id}/rotate-secret` */
  webhooks_rotate_secret: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    body: RotateRequest;
    response: {
      data: WebhookSecret;
      meta: Meta;
      links: Links;
    };
  };
  /** Send a test message. `POST /api/v1/webhooks/{id}/test` */
  webhooks_test: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Delivery;
      meta: Meta;
      links: Links;
    };
  };
  /** What was sent to it. `GET /api/v1/webhooks/{id}/deliveries` */
  webhooks_deliveries_list: {
    path: { id: string };
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[message_id]"?: string; "filter[topic]"?: string; "filter[state]"?: "pending" | "delivered" | "failed"; "filter[attempts]"?: number; "filter[last_status]"?: number; "filter[created_at]"?: (string | number); "filter[finished_at]"?: (string | number); "filter[id]"?: string; state?: "pending" | "delivered" | "failed"; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Delivery | SparseDelivery)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Send a message again. `POST /api/v1/webhooks/{id}/deliveries/{delivery}/redeliver` */
  webhooks_deliveries_redeliver: {
    path: { id: string; delivery: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Delivery;
      meta: Meta;
      links: Links;
    };
  };
  /** Reports that were made. `GET /api/v1/reports` */
  reports_list: {
    query: { "filter[kind]"?: "energy" | "temperature" | "availability" | "events"; "filter[state]"?: "queued" | "running" | "succeeded" | "failed" | "cancelled"; "filter[device_id]"?: string; "filter[site_id]"?: string; "filter[organization_id]"?: string; "filter[from]"?: (string | number); "filter[to]"?: (string | number); "filter[created_at]"?: (string | number); "filter[created_by]"?: string; "filter[id]"?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Report | SparseReport)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Have a report made. `POST /api/v1/reports` */
  reports_create: {
    headers: { "Idempotency-Key"?: string };
    body: ReportRequest;
    response: {
      data: Report;
      meta: Meta;
      links: Links;
    };
  };
  /** One report. `GET /api/v1/reports/{id}` */
  reports_get: {
    path: { id: string };
    response: {
      data: Report;
      meta: Meta;
      links: Links;
    };
  };
  /** What a report says. `GET /api/v1/reports/{id}/content` */
  reports_content_get: {
    path: { id: string };
    response: {
      data: ReportContent;
      meta: Meta;
      links: Links;
    };
  };
  /** Backups that were taken. `GET /api/v1/backups` */
  backups_list: {
    query: { "filter[state]"?: "queued" | "running" | "succeeded" | "failed" | "cancelled"; "filter[bytes]"?: number; "filter[version]"?: string; "filter[created_at]"?: (string | number); "filter[created_by]"?: string; "filter[id]"?: string; sort?: string; fields?: string };
    response: {
      data: Array<(Backup | SparseBackup)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Have a backup taken. `POST /api/v1/backups` */
  backups_create: {
    headers: { "Idempotency-Key"?: string };
    body: BackupRequest;
    response: {
      data: Backup;
      meta: Meta;
      links: Links;
    };
  };
  /** One backup. `GET /api/v1/backups/{id}` */
  backups_get: {
    path: { id: string };
    response: {
      data: Backup;
      meta: Meta;
      links: Links;
    };
  };
  /** Remove a backup and its file. `DELETE /api/v1/backups/{id}` */
  backups_delete: {
    path: { id: string };
    response: {
      data: Removed;
      meta: Meta;
      links: Links;
    };
  };
  /** A backup's file. `GET /api/v1/backups/{id}/content` */
  backups_content_get: {
    path: { id: string };
    response: unknown;
  };
  /** What can be drawn now. `GET /api/v1/media/capabilities` */
  media_capabilities_get: {
    response: {
      data: Capabilities;
      meta: Meta;
      links: Links;
    };
  };
  /** Check a diagram's source. `POST /api/v1/media/diagrams/validate` */
  media_diagrams_validate: {
    headers: { "Idempotency-Key"?: string };
    body: ValidateRequest;
    response: {
      data: Validation;
      meta: Meta;
      links: Links;
    };
  };
  /** Draw a diagram. `POST /api/v1/media/diagrams/render` */
  media_diagrams_render: {
    headers: { "Idempotency-Key"?: string };
    body: RenderBody;
    response: {
      data: Picture;
      meta: Meta;
      links: Links;
    };
  };
  /** A diagram by a link that holds its source. `GET /api/v1/media/diagrams/{format}/{output}/{source}` */
  media_diagrams_get: {
    path: { format: string; output: string; source: string };
    query: { theme?: string; width?: number; height?: number };
    headers: { Range?: string; "If-Range"?: string; "If-None-Match"?: string };
    response: {
      data: Picture;
      meta: Meta;
      links: Links;
    };
  };
  /** Check a formula's source. `POST /api/v1/media/formulas/validate` */
  media_formulas_validate: {
    headers: { "Idempotency-Key"?: string };
    body: FormulaSource;
    response: {
      data: Validation;
      meta: Meta;
      links: Links;
    };
  };
  /** Draw a formula. `POST /api/v1/media/formulas/render` */
  media_formulas_render: {
    headers: { "Idempotency-Key"?: string };
    body: FormulaBody;
    response: {
      data: Picture;
      meta: Meta;
      links: Links;
    };
  };
  /** Draw a map. `POST /api/v1/media/maps/render` */
  media_maps_render: {
    headers: { "Idempotency-Key"?: string };
    body: MapBody;
    response: {
      data: Picture;
      meta: Meta;
      links: Links;
    };
  };
  /** The styles of maps. `GET /api/v1/media/maps/styles` */
  media_maps_styles_list: {
    response: {
      data: Array<MapStyle>;
      meta: Meta;
      links: Links;
    };
  };
  /** List curricula. `GET /api/v1/curricula` */
  curricula_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[title]"?: string; "filter[description]"?: string; "filter[author]"?: string; "filter[keywords]"?: string; "filter[language]"?: string; "filter[status]"?: string; "filter[difficulty]"?: string; "filter[topics_count]"?: number; "filter[created_at]"?: (string | number); "filter[updated_at]"?: (string | number); "filter[id]"?: string; "filter[deleted]"?: boolean; language?: string; status?: string; difficulty?: string; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(CurriculumSummary | SparseCurriculumSummary)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Keep a UMCF document. `POST /api/v1/curricula` */
  curricula_create: {
    headers: { "Idempotency-Key"?: string };
    body: Record<string, unknown>;
    response: {
      data: Taken;
      meta: Meta;
      links: Links;
    };
  };
  /** One curriculum with its topics. `GET /api/v1/curricula/{id}` */
  curricula_get: {
    path: { id: string };
    headers: { "If-None-Match"?: string };
    response: {
      data: CurriculumDetail;
      meta: Meta;
      links: Links;
    };
  };
  /** Replace a curriculum's document. `PUT /api/v1/curricula/{id}` */
  curricula_replace: {
    path: { id: string };
    headers: { "If-Match"?: string };
    body: {
      formatIdentifier?: "umcf";
      title: string;
      content: Array<unknown>;
    };
    response: {
      data: CurriculumDetail;
      meta: Meta;
      links: Links;
    };
  };
  /** Delete a curriculum. `DELETE /api/v1/curricula/{id}` */
  curricula_delete: {
    path: { id: string };
    query: { confirm?: boolean };
    response: {
      data: Done;
      meta: Meta;
      links: Links;
    };
  };
  /** The UMCF document. `GET /api/v1/curricula/{id}/full` */
  curricula_full_get: {
    path: { id: string };
    response: Record<string, unknown>;
  };
  /** List archived curricula. `GET /api/v1/curricula/archived` */
  curricula_archived_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; "filter[file_name]"?: string; "filter[curriculum_id]"?: string; "filter[curriculum_title]"?: string; "filter[archived_at]"?: (string | number); "filter[file_size]"?: number; q?: string; sort?: string; fields?: string };
    response: {
      data: Array<(ArchivedCurriculum | SparseArchivedCurriculum)>;
      meta: Meta;
      links: Links;
    };
  };
  /** Bring a curriculum back from its archive. `POST /api/v1/curricula/archived/{file_name}/unarchive` */
  curricula_archived_unarchive: {
    path: { file_name: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Done;
      meta: Meta;
      links: Links;
    };
  };
  /** Delete an archive. `DELETE /api/v1/curricula/archived/{file_name}` */
  curricula_archived_delete: {
    path: { file_name: string };
    query: { confirm?: boolean };
    response: {
      data: ArchiveGone;
      meta: Meta;
      links: Links;
    };
  };
  /** Derive what lists show once more. `POST /api/v1/curricula/reload` */
  curricula_reload: {
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Reloaded;
      meta: Meta;
      links: Links;
    };
  };
  /** Import a UMCF file, document or address. `POST /api/v1/curricula/import` */
  curricula_import: {
    headers: { "Idempotency-Key"?: string };
    body: Record<string, unknown>;
    response: {
      data: Taken;
      meta: Meta;
      links: Links;
    };
  };
  /** The UMCF document with its assets. `GET /api/v1/curricula/{id}/full-with-assets` */
  curricula_full_with_assets_get: {
    path: { id: string };
    response: Record<string, unknown>;
  };
  /** What is said in a topic. `GET /api/v1/curricula/{id}/topics/{topic_id}/transcript` */
  curricula_topics_transcript_get: {
    path: { id: string; topic_id: string };
    response: {
      data: Transcript;
      meta: Meta;
      links: Links;
    };
  };
  /** A topic's recording. `GET /api/v1/curricula/{id}/topics/{topic_id}/stream-audio` */
  curricula_topics_stream_audio_get: {
    path: { id: string; topic_id: string };
    headers: { Range?: string; "If-Range"?: string; "If-None-Match"?: string };
    response: unknown;
  };
  /** Put a curriculum away. `POST /api/v1/curricula/{id}/archive` */
  curricula_archive: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: PutAway;
      meta: Meta;
      links: Links;
    };
  };
  /** List a topic's assets. `GET /api/v1/curricula/{id}/topics/{topic_id}/assets` */
  curricula_topics_assets_list: {
    path: { id: string; topic_id: string };
    response: {
      data: Array<Asset>;
      meta: Meta;
      links: Links;
    };
  };
  /** Add an asset to a topic. `POST /api/v1/curricula/{id}/topics/{topic_id}/assets` */
  curricula_topics_assets_create: {
    path: { id: string; topic_id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: Asset;
      meta: Meta;
      links: Links;
    };
  };
  /** Say otherwise what an asset is. `PATCH /api/v1/curricula/{id}/topics/{topic_id}/assets/{asset_id}` */
  curricula_topics_assets_update: {
    path: { id: string; topic_id: string; asset_id: string };
    headers: { "Idempotency-Key"?: string };
    body: AssetRequest;
    response: {
      data: Asset;
      meta: Meta;
      links: Links;
    };
  };
  /** Delete an asset. `DELETE /api/v1/curricula/{id}/topics/{topic_id}/assets/{asset_id}` */
  curricula_topics_assets_delete: {
    path: { id: string; topic_id: string; asset_id: string };
    response: {
      data: AssetGone;
      meta: Meta;
      links: Links;
    };
  };
  /** An asset's bytes. `GET /api/v1/curricula/{id}/assets/{asset_id}/content` */
  curricula_assets_content_get: {
    path: { id: string; asset_id: string };
    headers: { Range?: string; "If-Range"?: string; "If-None-Match"?: string };
    response: unknown;
  };
  /** Which machines keep a curriculum. `GET /api/v1/curricula/{id}/placement` */
  curricula_placement_get: {
    path: { id: string };
    response: {
      data: Placement;
      meta: Meta;
      links: Links;
    };
  };
  /** Have machines keep a curriculum for readers nearby. `PUT /api/v1/curricula/{id}/placement` */
  curricula_placement_replace: {
    path: { id: string };
    body: PlacementRequest;
    response: {
      data: Placement;
      meta: Meta;
      links: Links;
    };
  };
  /** Have machines keep a curriculum no longer. `DELETE /api/v1/curricula/{id}/placement` */
  curricula_placement_delete: {
    path: { id: string };
    response: {
      data: Withdrawn;
      meta: Meta;
      links: Links;
    };
  };
  /** Fetch what the document has elsewhere. `POST /api/v1/curricula/{id}/preload-assets` */
  curricula_preload_assets: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: PreloadedAssets;
      meta: Meta;
      links: Links;
    };
  };
  /** Take a deleted curriculum back. `POST /api/v1/curricula/{id}/restore` */
  curricula_restore: {
    path: { id: string };
    headers: { "Idempotency-Key"?: string };
    response: {
      data: CurriculumDetail;
      meta: Meta;
      links: Links;
    };
  };
  /** List the documents that were replaced. `GET /api/v1/curricula/{id}/versions` */
  curricula_versions_list: {
    path: { id: string };
    response: {
      data: Array<CurriculumVersion>;
      meta: Meta;
      links: Links;
    };
  };
  /** A document that was replaced. `GET /api/v1/curricula/{id}/versions/{revision}` */
  curricula_versions_get: {
    path: { id: string; revision: string };
    response: Record<string, unknown>;
  };
  /** Put an earlier document back. `POST /api/v1/curricula/{id}/versions/{revision}/restore` */
  curricula_versions_restore: {
    path: { id: string; revision: string };
    headers: { "If-Match"?: string; "Idempotency-Key"?: string };
    response: {
      data: CurriculumDetail;
      meta: Meta;
      links: Links;
    };
  };
  /** List import sources. `GET /api/v1/import/sources` */
  import_sources_list: {
    response: {
      data: Array<Source>;
      meta: Meta;
      links: Links;
    };
  };
  /** One import source. `GET /api/v1/import/sources/{id}` */
  import_sources_get: {
    path: { id: string };
    response: {
      data: Source;
      meta: Meta;
      links: Links;
    };
  };
  /** Courses of a source. `GET /api/v1/import/sources/{id}/courses` */
  import_sources_courses_list: {
    path: { id: string };
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; search?: string; subject?: string; level?: string };
    response: {
      data: Array<Course>;
      meta: Meta;
      links: Links;
    };
  };
  /** One course. `GET /api/v1/import/sources/{id}/courses/{course_id}` */
  import_sources_courses_get: {
    path: { id: string; course_id: string };
    response: {
      data: CourseDetail;
      meta: Meta;
      links: Links;
    };
  };
  /** Start an import. `POST /api/v1/import/jobs` */
  import_jobs_create: {
    headers: { "Idempotency-Key"?: string };
    body: JobRequest;
    response: {
      data: QueuedJob;
      meta: Meta;
      links: Links;
    };
  };
  /** List import jobs. `GET /api/v1/import/jobs` */
  import_jobs_list: {
    query: { page?: number; per_page?: number; pageSize?: number; limit?: number; status?: string };
    response: {
      data: Array<ImportProgress>;
      meta: Meta;
      links: Links;
    };
  };
  /** One import job. `GET /api/v1/import/jobs/{id}` */
  import_jobs_get: {
    path: { id: string };
    response: {
      data: ImportProgress;
      meta: Meta;
      links: Links;
    };
  };
  /** Cancel an import job. `DELETE /api/v1/import/jobs/{id}` */
  import_jobs_delete: {
    path: { id: string };
    response: {
      data: Cancelled;
      meta: Meta;
      links: Links;
    };
  };
}

export type OperationId = keyof Operations;
