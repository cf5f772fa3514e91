/** The gaps of several series told as an operator would: one line for each span and reason. */
import type { Gap } from "../api/types";
import { HOLE_CADENCES, type Track } from "./track";

export interface GapLine extends Gap {
  /** How many of the tracks have it. */
  tracks: number;
  /** True where every track has it. */
  all: boolean;
}

/** Spans between two values that no gap explains: they are on their way, or their gap is. */
export function holes(track: Track): Gap[] {
  const { times, cadenceMs } = track;
  const out: Gap[] = [];
  for (let i = 1; i < times.length; i += 1) {
    const [before, after] = [times[i - 1] as number, times[i] as number];
    if (after - before <= cadenceMs * HOLE_CADENCES) continue;
    const hole = { from_ms: before + cadenceMs, to_ms: after - cadenceMs, reason: "not_received" };
    if (!covered(track, hole)) out.push(hole);
  }
  return out;
}

/** Does some gap explain most of it? A rate's first sample explains its own tick only. */
function covered(track: Track, hole: Gap): boolean {
  const explained = track.gaps.reduce((sum, gap) => {
    const ticks = (Math.min(gap.to_ms, hole.to_ms) - Math.max(gap.from_ms, hole.from_ms)) / track.cadenceMs + 1;
    return sum + Math.max(0, ticks);
  }, 0);
  return explained * 2 > (hole.to_ms - hole.from_ms) / track.cadenceMs + 1;
}

/** Newest first. */
export function gapLines(tracks: readonly Track[], fromMs: number): GapLine[] {
  const lines = new Map<string, GapLine>();
  for (const track of tracks) {
    for (const gap of [...track.gaps, ...holes(track)]) {
      if (gap.to_ms < fromMs) continue;
      const key = `${gap.from_ms}/${gap.to_ms}/${gap.reason}`;
      const line = lines.get(key);
      if (line === undefined) lines.set(key, { ...gap, tracks: 1, all: tracks.length === 1 });
      else {
        line.tracks += 1;
        line.all = line.tracks === tracks.length;
      }
    }
  }
  return [...lines.values()].sort((a, b) => b.to_ms - a.to_ms || b.from_ms - a.from_ms);
}

const SENTENCES: Record<string, string> = {
  missing: "the source is gone",
  disabled: "the source is switched off",
  fault: "the device reported a fault",
  denied: "the reader lacks the right",
  busy: "the source was busy",
  unparsable: "the answer was no number",
  out_of_range: "outside the physical range",
  too_fast: "moved faster than physics allows",
  stale: "the last value is too old",
  stuck: "the value stands still while others move",
  disagreement: "redundant sensors disagree",
  no_history: "first sample of a rate",
  not_running: "the reading process was not running",
  overrun: "the reader came too late for this tick",
  not_received: "nothing has come for this span yet",
  overflow: "a buffer was full while its consumer was away",
};

export function reasonSentence(reason: string): string {
  return SENTENCES[reason] ?? reason.replaceAll("_", " ");
}
