/** The thresholds of a device's limits as lines in the panel whose unit they share. */
import type { Limit } from "../api/types";

export interface Threshold {
  value: number;
  kind: "warning" | "limit" | "trip";
  name: string;
}

/** Each value once, named after every limit that sets it. */
export function thresholds(limits: readonly Limit[], readingType: string): Threshold[] {
  const lines = new Map<string, Threshold>();
  for (const limit of limits) {
    if (limit.reading_type !== readingType) continue;
    for (const kind of ["warning", "limit", "trip"] as const) {
      const value = limit[kind];
      if (value === null || value === undefined) continue;
      const old = lines.get(`${kind}/${value}`);
      lines.set(`${kind}/${value}`, { value, kind, name: old === undefined ? limit.name : `${old.name}, ${limit.name}` });
    }
  }
  return [...lines.values()].sort((a, b) => a.value - b.value);
}

export interface Axis {
  floor: number | null;
  ceiling: number | null;
  /** The least height of the axis. */
  least: number;
}

/** The range of the vertical axis: the data with air around it, and the next threshold above
 * where it is near, so that a rise towards it can be seen. */
export function axisRange(low: number | null, high: number | null, axis: Axis, lines: readonly Threshold[]): [number, number] {
  if (axis.floor !== null && axis.ceiling !== null) return [axis.floor, axis.ceiling];
  const bottom = low ?? axis.floor ?? 0;
  const top = high ?? bottom;
  const height = Math.max(axis.least, top - bottom);
  const air = height * 0.12;
  let from = axis.floor ?? bottom - (height - (top - bottom)) / 2 - air;
  let to = Math.max(top + air, from + axis.least);
  const next = lines.find((line) => line.value >= top);
  if (next !== undefined && next.value <= to + height) to = Math.max(to, next.value + air);
  if (axis.floor === null && low !== null && low >= 0) from = Math.max(0, from);
  return [from, to];
}
