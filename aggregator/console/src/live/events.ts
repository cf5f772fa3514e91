/** Lists that the stream and the history both feed. */
import type { FleetEvent, Operation } from "../api/types";

const MOST_EVENTS = 1000;
const MOST_OPERATIONS = 50;

/** Newest first, each once. */
export function mergeEvents(list: readonly FleetEvent[], more: readonly FleetEvent[]): FleetEvent[] {
  const byId = new Map([...list, ...more].map((event) => [event.id, event]));
  return [...byId.values()]
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || (a.id < b.id ? 1 : -1))
    .slice(0, MOST_EVENTS);
}

const FINAL = new Set(["succeeded", "failed", "refused", "cancelled", "expired", "rolled_back", "rollback_failed"]);

export function isFinal(operation: Pick<Operation, "state">): boolean {
  return FINAL.has(operation.state);
}

/** Newest first; a final state is never replaced by one that came before it. */
export function mergeOperation(list: readonly Operation[], one: Operation): Operation[] {
  const old = list.find((operation) => operation.id === one.id);
  if (old !== undefined && isFinal(old) && !isFinal(one)) return [...list];
  return [one, ...list.filter((operation) => operation.id !== one.id)]
    .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at))
    .slice(0, MOST_OPERATIONS);
}
