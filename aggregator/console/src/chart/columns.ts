/** Tracks as the columns that the chart draws: one shared time axis, `null` where a line breaks,
 * `undefined` where another series alone has a tick. */
import { HOLE_CADENCES, type Track } from "./track";

export type Column = (number | null | undefined)[];

export function columns(tracks: readonly Track[]): { times: number[]; values: Column[] } {
  const breaks = tracks.map(breakTimes);
  const times = [...new Set(tracks.flatMap((track, index) => [...track.times, ...(breaks[index] ?? [])]))].sort((a, b) => a - b);
  const position = new Map(times.map((t, index) => [t, index]));
  const values = tracks.map((track, index) => {
    const column: Column = new Array<undefined>(times.length).fill(undefined);
    for (const t of breaks[index] ?? []) column[position.get(t) as number] = null;
    track.times.forEach((t, i) => (column[position.get(t) as number] = track.values[i]));
    return column;
  });
  return { times, values };
}

/** Where the line of a track must not run through: one tick after each value before a hole. */
function breakTimes(track: Track): number[] {
  const out: number[] = [];
  for (let i = 1; i < track.times.length; i += 1) {
    const before = track.times[i - 1] as number;
    if ((track.times[i] as number) - before > track.cadenceMs * HOLE_CADENCES) out.push(before + track.cadenceMs);
  }
  return out;
}

/** The index of the time nearest to `t`, `null` where there is none. */
export function nearest(times: readonly number[], t: number): number | null {
  if (times.length === 0) return null;
  let best = 0;
  let low = 0;
  let high = times.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const at = times[middle] as number;
    if (Math.abs(at - t) < Math.abs((times[best] as number) - t)) best = middle;
    if (at < t) low = middle + 1;
    else high = middle - 1;
  }
  return best;
}
