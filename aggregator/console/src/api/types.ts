/** The shapes of the v1 dialect and of the media routes, as far as the console reads them. */

export interface User {
  id: string;
  email: string;
  display_name: string;
  role: string;
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  /** Seconds that the access token lives. */
  expires_in: number;
}

export interface SignedIn {
  user: User;
  tokens: Tokens;
}

export interface SignInProvider {
  id: string;
  title: string;
  /** Where the browser goes to sign in. */
  start: string;
}

export type EquipmentKind = "bmc" | "pdu" | "ups" | "cooling" | "sensor" | "gpu";
export type DeviceKind = "real" | "simulated" | EquipmentKind;
export type DeviceStatus = "online" | "offline";

export interface Machine {
  hostname: string;
  os: string;
  kernel: string;
  arch: string;
  vendor: string | null;
  product: string | null;
  serial: string | null;
  cpus: number;
  memory_bytes: number;
  agent_version: string;
}

export interface Series {
  id: string;
  metric: string;
  reading_type: string;
  /** UCUM code. */
  unit: string;
  attributes: Record<string, string>;
  cadence_ms?: number;
  reader?: "guard" | "agent";
}

/** What a machine manages on behalf of others. */
export interface Equipment {
  key: string;
  driver: string;
  vendor: string | null;
  model: string | null;
  serial: string | null;
  firmware: string | null;
  address: string;
  state: "connecting" | "connected" | "unreachable" | "removed";
  since: string | null;
  reason: string | null;
}

export type ActuatorKind = "fan" | "power_cap" | "frequency_cap" | "switch" | "profile" | "indicator" | "service";
export type PowerState = "On" | "Off" | "PoweringOn" | "PoweringOff" | "Paused";

export interface Actuator {
  id: string;
  kind: ActuatorKind;
  unit: string;
  min: number;
  max: number;
  wanted: number | null;
  observed: number | null;
  stuck: boolean;
  state: PowerState | null;
  profile: string | null;
}

export interface Device {
  id: string;
  name: string;
  kind: DeviceKind;
  status: DeviceStatus;
  /** Of equipment: the machine that reads and drives it. */
  gateway: string | null;
  last_seen_at: string | null;
  enrolled_at: string;
  /** `null` for equipment. */
  machine: Machine | null;
  /** `null` for a machine. */
  equipment: Equipment | null;
  guard: { attached: boolean };
}

/** What `GET devices/{id}` adds to the list's rows. */
export interface DeviceDetail extends Device {
  series: Series[];
  actuators: Actuator[];
}

/** A span of ticks without values, both ends included. */
export interface Gap {
  from_ms: number;
  to_ms: number;
  reason: string;
}

export interface SeriesReadings {
  series: Series;
  points: [number, number | null][];
  gaps: Gap[];
}

export type LimitState = "unknown" | "normal" | "warning" | "limiting" | "tripped" | "failsafe";

/** What one layer says; `null` where it says nothing. */
export interface Thresholds {
  warning: number | null;
  limit: number | null;
  trip: number | null;
}

export interface Limit {
  name: string;
  zone: string;
  reading_type: string;
  unit: string;
  warning: number | null;
  limit: number | null;
  trip: number | null;
  hysteresis: number;
  layer: string;
  factory: Thresholds;
  local: Thresholds;
  fleet: Thresholds;
  layers_in_force: { warning: string | null; limit: string | null; trip: string | null };
  direction: "above" | "below";
  step: string | null;
  state: LimitState;
  reading: number | null;
  since: string | null;
  sensors: string[];
}

export type Severity = "info" | "warning" | "critical";

export interface FleetEvent {
  id: string;
  device_id: string;
  at: string;
  kind: string;
  severity: Severity;
  subject: string;
  message: string;
  reading: number | null;
  threshold: number | null;
  unit: string | null;
}

/** What an engine took of a command, beside or instead of what was asked. */
export interface OperationResult {
  clamped_to?: number | null;
  asked?: number | null;
  unit?: string | null;
  by?: string | null;
  observed?: number | null;
  verified?: boolean | null;
}

/** What a machine has armed, for the one who has to confirm it. */
export interface Confirmation {
  /** `null` for whoever may not confirm it, and on the stream. */
  token: string | null;
  expires_at: string;
  target: string;
  state: PowerState | null;
  consequence: string;
  /** `null` on the stream. */
  second_person: boolean | null;
}

export interface OperationTarget {
  device_id: string;
  actuator: string | null;
  word: string | null;
}

export interface Operation {
  id: string;
  kind: string;
  state: string;
  created_at: string;
  finished_at: string | null;
  result: OperationResult | null;
  errors: unknown[];
  warnings: unknown[];
  confirmation: Confirmation | null;
  target: OperationTarget;
  requested_by: string;
}

export interface Condition {
  text: string;
  /** `null` where it cannot be known. */
  holds: boolean | null;
  reading: number | null;
  unit: string | null;
}

/** A condition that stands between things. */
export interface StandingInterlock {
  name: string;
  reason: string;
  active: boolean;
  since: string;
  clears_when: string;
  targets: string[];
  conditions: Condition[];
}

export interface Lock {
  name: string;
  owner: string;
  reason: string;
  target: string | null;
  since: string;
  until: string | null;
  holds_levels: boolean;
}

export interface LockRequest {
  name: string;
  reason: string;
  target: string | null;
  holds_levels: boolean;
}

export interface Trip {
  id: string;
  limit: string;
  since: string;
  reading: number | null;
  threshold: number | null;
  unit: string;
  cause: string;
  clearable: boolean;
  held_by: string | null;
}

export interface Verb {
  reset_type: string;
  energises: boolean;
  destructive: boolean;
}

export interface Switch {
  id: string;
  state: PowerState | null;
  verbs: Verb[];
  stuck: boolean;
  locks: string[];
}

export interface PowerStatus {
  state: PowerState | null;
  switches: Switch[];
}

/** The details of a 409 `interlock_active`. */
export interface Interlock {
  interlock: string;
  reading: number | null;
  limit: number | null;
  unit: string | null;
  since: string | null;
  clears_when: string;
}

export interface Diagnostic {
  line: number;
  column: number;
  message: string;
  code?: string;
  severity?: string;
}

export interface Validation {
  valid: boolean;
  errors: Diagnostic[];
}

export interface Picture {
  /** Base64. */
  data: string;
  mimeType: string;
  width: number;
  height: number;
  renderMethod: string;
}

export interface Page<T> {
  data: T[];
  meta?: { total?: number; next_cursor?: string | null };
}

export type PluginKind = "renderer" | "importer" | "collector";
export type PluginState = "waiting" | "compiling" | "ready" | "rejected" | "quarantined";

/** Calls since the server started, by how they ended. */
export interface PluginUsage {
  calls: number;
  done: number;
  refused: number;
  limited: number;
  trapped: number;
  failed: number;
  total_ms: number;
  longest_ms: number;
}

/** One version of a plugin as machines have it. */
export interface Plugin {
  plugin_id: string;
  name: string;
  version: string;
  author: string;
  licence: string;
  description: string;
  kind: PluginKind;
  handles: string[];
  hash: string;
  enabled: boolean;
  state: PluginState;
  reason: string | null;
  /** The machines that have it. */
  devices: string[];
  usage: PluginUsage;
}

/** A component that was installed over the API. */
export interface PluginPackage {
  hash: string;
  size: number;
  state: "waiting" | "described" | "rejected";
  reason: string | null;
  plugin_id: string | null;
  name: string | null;
  version: string | null;
  kind: PluginKind | null;
  /** What it would reach; `*` stands for hosts that the operator names. */
  wants: string[];
  /** Who signed it. */
  publisher: string | null;
  installed_by: string;
  installed_at: string;
}

export interface Publisher {
  key_id: string;
  name: string;
  public_key: string;
  added_by: string;
  added_at: string;
}

export interface Placed {
  device_id: string;
  state: PluginState;
  reason: string | null;
}

/** Where a version runs, and what it may reach there. */
export interface Rollout {
  plugin_id: string;
  hash: string;
  version: string | null;
  previous_hash: string | null;
  grants: string[];
  ungranted: string[];
  site_id: string | null;
  selector: string | null;
  device_ids: string[] | null;
  devices: Placed[];
  updated_by: string;
  updated_at: string;
}

export interface RolloutRequest {
  hash: string;
  grants: string[];
  /** Labels of machines; every machine where it is absent. */
  selector?: string;
}
