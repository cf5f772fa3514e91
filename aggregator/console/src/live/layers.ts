/** A limit's layers as marks on one scale, and what a switch's verbs mean. */
import type { Limit, Verb } from "../api/types";

export const LAYERS = ["factory", "local", "fleet"] as const;
export type Layer = (typeof LAYERS)[number];
const THRESHOLDS = ["warning", "limit", "trip"] as const;

export interface Mark {
  threshold: (typeof THRESHOLDS)[number];
  value: number;
  /** 0 to 100 along the scale. */
  at: number;
  inForce: boolean;
}

export interface Scale {
  low: number;
  high: number;
  /** Where the reading stands; `null` where there is none. */
  reading: number | null;
  layers: { layer: Layer; marks: Mark[] }[];
}

/** Everything that a limit says on one scale; `null` where no layer says anything. */
export function scaleOf(limit: Limit): Scale | null {
  const values = LAYERS.flatMap((layer) => THRESHOLDS.flatMap((threshold) => limit[layer][threshold] ?? []));
  if (values.length === 0) return null;
  const all = limit.reading === null ? values : [...values, limit.reading];
  const least = Math.min(...all);
  const most = Math.max(...all);
  const margin = (most - least) * 0.08 || Math.abs(most) * 0.1 || 1;
  // What is dangerous above its threshold starts at nothing, where nothing is not far away.
  const low = limit.direction === "above" && least > 0 && least < most * 0.9 ? 0 : least - margin;
  const high = most + margin;
  const at = (value: number): number => ((value - low) / (high - low)) * 100;
  return {
    low,
    high,
    reading: limit.reading === null ? null : at(limit.reading),
    layers: LAYERS.map((layer) => ({
      layer,
      marks: THRESHOLDS.flatMap((threshold) => {
        const value = limit[layer][threshold];
        return value === null ? [] : [{ threshold, value, at: at(value), inForce: limit.layers_in_force[threshold] === layer }];
      }),
    })).filter(({ marks }) => marks.length > 0),
  };
}

const VERBS: Record<string, string> = {
  On: "Switch on",
  ForceOff: "Force off",
  GracefulShutdown: "Shut down",
  GracefulRestart: "Restart",
  ForceRestart: "Force restart",
  PowerCycle: "Power cycle",
  Nmi: "Send NMI",
  Suspend: "Suspend",
};

export function verbName(resetType: string): string {
  return VERBS[resetType] ?? resetType;
}

/** Why a verb can't be asked for now, as far as the console knows; the machine decides. */
export function standsAgainst(verb: Verb, locks: readonly string[]): string | null {
  if (verb.energises && locks.length > 0) return `Locked by ${locks.join(", ")}.`;
  return null;
}
