/** The thresholds of a device's limits as lines in the panel of their reading, each only while it
 * matters: a chart that shows every limit of every sensor shows none. */
import type { Limit } from "../api/types";

export interface Threshold {
  value: number;
  kind: "warning" | "limit" | "trip";
  /** What it holds. */
  name: string;
  /** The highest reading of what it holds, in the window. */
  high: number;
}

/** A limit's lines are drawn once its reading has come this near to the lowest of them. */
const NEAR = 0.88;

export interface Watched {
  limit: Limit;
  name: string;
  /** The highest value of its sensors in the window; `null` where there is none. */
  high: number | null;
}

export function thresholds(watched: readonly Watched[], readingType: string): Threshold[] {
  const lines: Threshold[] = [];
  for (const { limit, name, high } of watched) {
    if (limit.reading_type !== readingType || high === null) continue;
    const own = (["warning", "limit", "trip"] as const).flatMap((kind) => {
      const value = limit[kind];
      return value === null || value === undefined ? [] : [{ value, kind, name, high }];
    });
    const lowest = Math.min(...own.map((line) => line.value));
    if (high >= lowest * NEAR || (limit.state !== "normal" && limit.state !== "unknown")) lines.push(...own);
  }
  return merged(lines);
}

/** Lines of one kind at one value are one. */
function merged(lines: readonly Threshold[]): Threshold[] {
  const out = new Map<string, Threshold>();
  for (const line of lines) {
    const key = `${line.kind}/${line.value}`;
    const old = out.get(key);
    out.set(key, old === undefined ? { ...line } : { ...old, name: `${old.name}, ${line.name}`, high: Math.max(old.high, line.high) });
  }
  return [...out.values()].sort((a, b) => a.value - b.value);
}

export interface Axis {
  floor: number | null;
  ceiling: number | null;
  /** The least height of the axis. */
  least: number;
}

/** The range of the vertical axis: the data with air around it, and of what comes near a limit
 * the next line above, so that the rise towards it can be seen. */
export function axisRange(low: number | null, high: number | null, axis: Axis, lines: readonly Threshold[]): [number, number] {
  if (axis.floor !== null && axis.ceiling !== null) return [axis.floor, axis.ceiling];
  const bottom = low ?? axis.floor ?? 0;
  const top = high ?? bottom;
  const height = Math.max(axis.least, top - bottom);
  const air = height * 0.12;
  let from = axis.floor ?? bottom - (height - (top - bottom)) / 2 - air;
  let to = Math.max(top + air, from + axis.least);
  const next = lines.find((line) => line.value >= line.high);
  if (next !== undefined) to = Math.max(to, next.value + air);
  if (axis.floor === null && low !== null && low >= 0) from = Math.max(0, from);
  return [from, to];
}
