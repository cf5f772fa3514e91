/** Hardware by the names that people know; the ids of the kernel's tree stand behind them. */
import type { Limit, Series } from "../api/types";

/** What the part of hardware with this `hw.id` is called. */
export function hardwareName(id: string, series: readonly Series[]): string {
  const named = series.find((one) => one.attributes["hw.id"] === id)?.attributes["hw.name"];
  return named === undefined || named === "" ? shortId(id) : named;
}

/** A limit goes by its sensor where it has one only. */
export function limitName(limit: Limit, series: readonly Series[]): string {
  const [only, ...others] = limit.sensors;
  return only !== undefined && others.length === 0 ? hardwareName(only, series) : shortId(limit.name);
}

/** The last step of a path through the tree. */
export function shortId(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1);
}

/** An id that says nothing to a reader. */
export function isOpaque(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);
}
