/** All tracks of one device, fed by history and stream; counts its changes so that charts know. */
import type { Series, SeriesReadings } from "../api/types";
import type { ReadingPoint } from "../live/message";
import { holes } from "./gaps";
import { addGap, addPoint, addValue, newTrack, prune, type Track } from "./track";

export class Tracks {
  #byId = new Map<string, Track>();

  /** Only these series are kept; what comes for others is left out. */
  constructor(series: readonly Series[]) {
    for (const one of series) this.#byId.set(one.id, newTrack(one));
  }

  of(id: string): Track | undefined {
    return this.#byId.get(id);
  }

  addHistory(readings: readonly SeriesReadings[]): void {
    for (const { series, points, gaps } of readings) {
      const track = this.#byId.get(series.id);
      if (track === undefined) continue;
      for (const [t, value] of points) if (value !== null) addValue(track, t, value);
      for (const gap of gaps) addGap(track, gap);
    }
  }

  /** True where a point was for a series that is not known here. */
  addLive(points: readonly ReadingPoint[], known: ReadonlySet<string>): boolean {
    let foreign = false;
    for (const point of points) {
      const track = this.#byId.get(point.series);
      if (track !== undefined) addPoint(track, point);
      else if (!known.has(point.series)) foreign = true;
    }
    return foreign;
  }

  /** Where the spans begin that nothing explains yet. */
  unexplained(): number[] {
    return [...new Set([...this.#byId.values()].flatMap((track) => holes(track).map((hole) => hole.from_ms)))];
  }

  prune(fromMs: number): void {
    for (const track of this.#byId.values()) prune(track, fromMs);
  }

  /** The newest tick of any series. */
  get newestMs(): number | null {
    let newest: number | null = null;
    for (const track of this.#byId.values()) {
      const t = Math.max(track.times.at(-1) ?? -Infinity, track.gaps.at(-1)?.to_ms ?? -Infinity);
      if (Number.isFinite(t) && (newest === null || t > newest)) newest = t;
    }
    return newest;
  }
}
