/**
 * One series over the time that a chart shows: values, and the spans that have none.
 *
 * History and stream meet here. Points may come late (an agent that was away sends its backlog
 * after its fresh blocks), twice, or before the history does; a tick has one value whatever the
 * order.
 */
import type { Gap, Series } from "../api/types";
import type { ReadingPoint } from "../live/message";

export interface Track {
  series: Series;
  cadenceMs: number;
  /** Rising, without repetition. */
  times: number[];
  values: number[];
  /** Rising by `from_ms`; one reason's touching spans are one. */
  gaps: Gap[];
}

const DEFAULT_CADENCE_MS = 1000;
/** Two values further apart than this many cadences have something missing between them. */
export const HOLE_CADENCES = 1.5;

export function newTrack(series: Series): Track {
  const cadenceMs = series.cadence_ms ?? DEFAULT_CADENCE_MS;
  return { series, cadenceMs: cadenceMs > 0 ? cadenceMs : DEFAULT_CADENCE_MS, times: [], values: [], gaps: [] };
}

export function addValue(track: Track, t: number, value: number): void {
  const { times, values } = track;
  const last = times.at(-1);
  if (last === undefined || t > last) {
    times.push(t);
    values.push(value);
    return;
  }
  const at = lowerBound(times, t);
  if (times[at] === t) {
    values[at] = value;
  } else {
    times.splice(at, 0, t);
    values.splice(at, 0, value);
  }
}

export function addGap(track: Track, gap: Gap): void {
  const gaps = track.gaps;
  const last = gaps.at(-1);
  // The stream's way: tick after tick with the same reason.
  if (last !== undefined && last.reason === gap.reason && gap.from_ms >= last.from_ms && gap.from_ms <= last.to_ms + track.cadenceMs) {
    last.to_ms = Math.max(last.to_ms, gap.to_ms);
    return;
  }
  gaps.push({ ...gap });
  if (last === undefined || last.from_ms <= gap.from_ms) return;
  gaps.sort((a, b) => a.from_ms - b.from_ms);
  track.gaps = joined(gaps, track.cadenceMs);
}

export function addPoint(track: Track, point: ReadingPoint): void {
  if (point.v !== null) addValue(track, point.t, point.v);
  else addGap(track, { from_ms: point.t, to_ms: point.t, reason: point.no_data ?? "missing" });
}

/** Forgets what lies before `fromMs`. */
export function prune(track: Track, fromMs: number): void {
  const keep = lowerBound(track.times, fromMs);
  if (keep > 0) {
    track.times.splice(0, keep);
    track.values.splice(0, keep);
  }
  if (track.gaps.some((gap) => gap.to_ms < fromMs)) track.gaps = track.gaps.filter((gap) => gap.to_ms >= fromMs);
}

/** The newest thing known: a value, or the reason why there is none. */
export function latest(track: Track): { t: number; value: number | null; reason: string | null } | null {
  const t = track.times.at(-1);
  const gap = track.gaps.at(-1);
  if (gap !== undefined && (t === undefined || gap.to_ms > t)) return { t: gap.to_ms, value: null, reason: gap.reason };
  if (t === undefined) return null;
  return { t, value: track.values.at(-1) ?? null, reason: null };
}

/** The highest value of any of them. */
export function highest(tracks: readonly Track[]): number | null {
  let most: number | null = null;
  for (const track of tracks) for (const value of track.values) if (most === null || value > most) most = value;
  return most;
}

function joined(gaps: Gap[], cadenceMs: number): Gap[] {
  const out: Gap[] = [];
  for (const gap of gaps) {
    const last = out.at(-1);
    if (last !== undefined && last.reason === gap.reason && gap.from_ms <= last.to_ms + cadenceMs) {
      last.to_ms = Math.max(last.to_ms, gap.to_ms);
    } else {
      out.push(gap);
    }
  }
  return out;
}

/** The first index whose time is not before `t`. */
export function lowerBound(times: readonly number[], t: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < t) low = middle + 1;
    else high = middle;
  }
  return low;
}
