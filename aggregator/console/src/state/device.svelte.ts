/**
 * One device as its page shows it: inventory, limits and locks, the readings of the window.
 *
 * History is read once for a window and the stream held from then on; it is read again only when
 * the stream says that something was missed. Limits and actuators follow events and commits.
 */
import { Problem } from "../api/problem";
import type { Holds } from "../api/client";
import type { DeviceDetail, Limit, Series } from "../api/types";
import { PANELS, seriesOf } from "../chart/panels";
import { Tracks } from "../chart/tracks";
import { readingPoints, type ReadingPoint } from "../live/message";
import { api, app, link, serverNow } from "./app.svelte";

export const WINDOWS = [
  { ms: 5 * 60_000, name: "5 min" },
  { ms: 15 * 60_000, name: "15 min" },
  { ms: 60 * 60_000, name: "1 h" },
] as const;

/** Inventory is read at most this often, however fast commits and events come. */
const INVENTORY_EVERY_MS = 5_000;
/** And at most this often after somebody has acted here: they wait for it. */
const AFTER_ACTING_MS = 300;
/** When the history is read again for a hole in the stream: at once for what is committed, and
 * after a backlog has had its time. */
const EXPLAIN_AFTER_MS = [1_500, 20_000];

export class DeviceView {
  detail = $state<DeviceDetail | null>(null);
  limits = $state<Limit[]>([]);
  holds = $state<Holds | null>(null);
  problem = $state<string | null>(null);
  loading = $state(true);
  windowMs = $state<number>(WINDOWS[0].ms);
  /** Counts changes of `tracks`, which itself is too large to be watched. */
  revision = $state(0);
  tracks = new Tracks([]);
  newestMs = $state<number | null>(null);

  #closed = false;
  #known = new Set<string>();
  /** Holes whose reason was looked for. */
  #asked = new Set<number>();
  #early: ReadingPoint[] = [];
  #leave: (() => void)[] = [];
  #inventoryAt = 0;
  #inventoryTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(readonly id: string) {
    // Listening first: what is committed while the history is on its way must not fall between.
    this.#leave.push(
      link.subscribe(`readings:${id}`, (heard) => {
        if (heard.kind === "missed") void this.load();
        else this.#live(readingPoints(heard.data));
      }),
      link.subscribe("device:*:state", (heard) => {
        if (heard.kind === "missed" || heard.topic === `device:${id}:state`) this.inventorySoon();
      }),
    );
    void this.load();
  }

  close(): void {
    this.#closed = true;
    for (const leave of this.#leave) leave();
    if (this.#inventoryTimer !== null) clearTimeout(this.#inventoryTimer);
  }

  setWindow(ms: number): void {
    this.windowMs = ms;
    void this.load();
  }

  async load(): Promise<void> {
    try {
      const [detail, limits, holds] = await this.#ask();
      if (this.#closed) return;
      this.#take(detail, limits, holds);
      const to = serverNow();
      const readings = await api.readings(this.id, readingTypes(detail.series), { from: to - this.windowMs, to });
      if (this.#closed) return;
      this.tracks.addHistory(readings);
      this.problem = null;
      this.#changed();
    } catch (error) {
      if (!this.#closed) this.problem = error instanceof Problem ? error.message : "The device cannot be shown.";
      if (!(error instanceof Problem)) throw error;
    } finally {
      this.loading = false;
    }
  }

  /** Reads limits and actuators again, soon and once, however often it is asked. */
  inventorySoon(): void {
    if (this.#inventoryTimer !== null || this.#closed) return;
    const wait = Math.max(0, this.#inventoryAt + INVENTORY_EVERY_MS - Date.now());
    this.#inventoryTimer = setTimeout(() => {
      this.#inventoryTimer = null;
      void this.inventory();
    }, wait);
  }

  /** As above, for somebody who has just done something. */
  actedOn(): void {
    if (this.#inventoryTimer !== null) clearTimeout(this.#inventoryTimer);
    this.#inventoryTimer = null;
    this.#inventoryAt = Date.now() - INVENTORY_EVERY_MS + AFTER_ACTING_MS;
    this.inventorySoon();
  }

  async inventory(): Promise<void> {
    this.#inventoryAt = Date.now();
    try {
      const [detail, limits, holds] = await this.#ask();
      if (!this.#closed) this.#take(detail, limits, holds);
    } catch (error) {
      // The next commit asks again; the link's own state tells that the aggregator is away.
      if (!(error instanceof Problem)) throw error;
    }
  }

  #ask(): Promise<[DeviceDetail, Limit[], Holds]> {
    return Promise.all([api.device(this.id), api.limits(this.id), api.holds(this.id)]);
  }

  #take(detail: DeviceDetail, limits: Limit[], holds: Holds): void {
    const fresh = detail.series.some((series) => !this.#known.has(series.id));
    this.detail = detail;
    this.limits = limits;
    this.holds = holds;
    if (!fresh) return;
    this.#known = new Set(detail.series.map((series) => series.id));
    const drawn = PANELS.flatMap((panel) => seriesOf(panel, detail.series));
    const before = this.tracks;
    this.tracks = new Tracks(drawn);
    for (const series of drawn) {
      const old = before.of(series.id);
      const track = this.tracks.of(series.id);
      if (old !== undefined && track !== undefined) Object.assign(track, { times: old.times, values: old.values, gaps: old.gaps });
    }
    this.#live(this.#early.splice(0));
  }

  #live(points: ReadingPoint[]): void {
    if (this.detail === null) {
      this.#early.push(...points.slice(0, 10_000 - this.#early.length));
      return;
    }
    if (points.length === 0) return;
    const foreign = this.tracks.addLive(points, this.#known);
    if (foreign) void this.load();
    else this.inventorySoon();
    this.#explainHoles();
    this.#changed();
  }

  /** The stream carries values; why a span has none stands in the history, moments later. */
  #explainHoles(): void {
    for (const hole of this.tracks.unexplained()) {
      if (this.#asked.has(hole)) continue;
      this.#asked.add(hole);
      for (const wait of EXPLAIN_AFTER_MS) setTimeout(() => this.#closed || void this.load(), wait);
      return;
    }
  }

  #changed(): void {
    this.tracks.prune(app.now + link.skewMs - this.windowMs - 10_000);
    this.newestMs = this.tracks.newestMs;
    this.revision += 1;
  }
}

function readingTypes(series: readonly Series[]): string[] {
  return [...new Set(PANELS.filter((panel) => seriesOf(panel, series).length > 0).map((panel) => panel.readingType))];
}
