/** Plugins in words. */
import type { PluginPackage, PluginState, PluginUsage } from "../api/types";

export type Tone = "quiet" | "ok" | "warn" | "bad";

const TONES: Record<PluginState, Tone> = {
  waiting: "quiet",
  compiling: "quiet",
  ready: "ok",
  rejected: "bad",
  quarantined: "bad",
};

export function toneOf(state: PluginState): Tone {
  return TONES[state] ?? "quiet";
}

/** How often it was called, and what of that did not go well. */
export function usageWords(usage: PluginUsage): string {
  if (usage.calls === 0) return "not called yet";
  const mean = Math.round(usage.total_ms / usage.calls);
  const ends = [
    [usage.refused, "refused"],
    [usage.limited, "stopped at a limit"],
    [usage.trapped, "broke"],
    [usage.failed, "failed"],
  ] as const;
  const bad = ends.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  const calls = usage.calls === 1 ? "1 call" : `${usage.calls} calls`;
  return [calls, `${mean} ms each`, ...bad].join(", ");
}

/** A wish as a person reads it. */
export function wantWords(want: string): string {
  const [scheme, ...rest] = want.split(":");
  const place = rest.join(":");
  const what = scheme === "mqtt" ? "messages of an MQTT broker" : "requests over HTTP";
  return place.startsWith("*") ? `${what} at hosts that you name` : `${what} at ${place}`;
}

/** Does the operator have to name the hosts? */
export function isOpen(want: string): boolean {
  return want.split(":")[1] === "*";
}

/** Grants out of what was ticked and typed, each once. */
export function grantsOf(ticked: Iterable<string>, typed: string): string[] {
  const words = typed.split(/[\s,]+/).filter((word) => word !== "");
  return [...new Set([...ticked, ...words])];
}

/** Packages of a plugin together, the newest first; what nobody has described last. */
export function byPlugin(packages: PluginPackage[]): [string | null, PluginPackage[]][] {
  const groups = new Map<string | null, PluginPackage[]>();
  for (const one of packages) groups.set(one.plugin_id, [...(groups.get(one.plugin_id) ?? []), one]);
  return [...groups].sort(([a], [b]) => (a === null ? 1 : b === null ? -1 : a.localeCompare(b)));
}
