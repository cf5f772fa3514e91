/** What the server says on the stream, parsed once; anything else is dropped here. */

export type ServerMessage =
  | { type: "connected"; serverTimeMs: number | null }
  | { type: "result"; id: number; ok: boolean; message: string | null }
  | { type: "snapshot" | "delta" | "event"; topic: string; data: unknown }
  | { type: "gap"; topic: string; dropped: number; reason: string }
  | { type: "resync_required"; topic: string }
  | { type: "pong" };

export function parseMessage(text: string): ServerMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const o = value as Record<string, unknown>;
  const topic = typeof o["topic"] === "string" ? o["topic"] : "";
  switch (o["type"]) {
    case "connected":
      return { type: "connected", serverTimeMs: serverTime(o["data"]) };
    case "result":
      return { type: "result", id: Number(o["id"]), ok: o["ok"] === true, message: reason(o) };
    case "snapshot":
    case "delta":
    case "event":
      return { type: o["type"], topic, data: o["data"] };
    case "gap":
      return { type: "gap", topic, dropped: Number(o["dropped"] ?? 0), reason: String(o["reason"] ?? "") };
    case "resync_required":
      return { type: "resync_required", topic };
    case "pong":
      return { type: "pong" };
    default:
      return null;
  }
}

function serverTime(data: unknown): number | null {
  const text = (data as { server_time?: unknown } | null)?.server_time;
  const ms = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

function reason(o: Record<string, unknown>): string | null {
  const text = o["message"] ?? o["error"];
  return typeof text === "string" ? text : null;
}

/** Does a subscription to `pattern` carry what comes under `topic`? */
export function topicMatches(pattern: string, topic: string): boolean {
  if (pattern === topic) return true;
  const wanted = pattern.split(":");
  const parts = topic.split(":");
  return wanted.length === parts.length && wanted.every((part, index) => part === "*" || part === parts[index]);
}

export interface ReadingPoint {
  series: string;
  t: number;
  v: number | null;
  no_data?: string;
}

/** The points of a `readings:…` message, however much of it is well formed. */
export function readingPoints(data: unknown): ReadingPoint[] {
  const points = (data as { points?: unknown } | null)?.points;
  if (!Array.isArray(points)) return [];
  return points.filter(
    (point: unknown): point is ReadingPoint =>
      typeof point === "object" &&
      point !== null &&
      typeof (point as ReadingPoint).series === "string" &&
      typeof (point as ReadingPoint).t === "number" &&
      (typeof (point as ReadingPoint).v === "number" || (point as ReadingPoint).v === null),
  );
}
