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

export type DeviceKind = "real" | "simulated";
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

export interface Actuator {
  id: string;
  kind: "fan" | "power_cap";
  unit: string;
  min: number;
  max: number;
  wanted: number | null;
  observed: number | null;
}

export interface Device {
  id: string;
  name: string;
  kind: DeviceKind;
  status: DeviceStatus;
  last_seen_at: string | null;
  enrolled_at: string;
  machine: Machine;
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

export interface Operation {
  id: string;
  kind: string;
  state: string;
  created_at: string;
  finished_at: string | null;
  result: OperationResult | null;
  errors: unknown[];
  warnings: unknown[];
  target: unknown;
  requested_by: unknown;
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
