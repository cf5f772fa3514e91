/** The list of devices with their newest figures, kept fresh by the stream. */
import { SvelteMap } from "svelte/reactivity";
import { Problem } from "../api/problem";
import type { Device } from "../api/types";
import { Latest, NOTHING, type Glance } from "../live/glance";
import { readingPoints } from "../live/message";
import { api, link } from "./app.svelte";

/** Of how many devices the series are read, so that a large fleet costs no storm of requests. */
const MOST_GLANCES = 50;
const RELOAD_EVERY_MS = 5_000;

export class Fleet {
  devices = $state<Device[]>([]);
  loading = $state(true);
  problem = $state<string | null>(null);

  #glances = new SvelteMap<string, Glance>();
  #latest = new Map<string, Latest>();
  #learned = new Set<string>();
  #closed = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #leave: (() => void)[];

  constructor() {
    this.#leave = [
      link.subscribe("device:*:state", () => this.#soon()),
      link.subscribe("readings:*", (heard) => {
        if (heard.kind === "missed") {
          this.#soon();
          return;
        }
        const id = (heard.data as { device_id?: unknown } | null)?.device_id;
        if (typeof id === "string") this.#take(id, heard.data);
      }),
    ];
    void this.load();
  }

  close(): void {
    this.#closed = true;
    for (const leave of this.#leave) leave();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  glance(id: string): Glance {
    return this.#glances.get(id) ?? NOTHING;
  }

  async load(): Promise<void> {
    try {
      const devices = await api.devices();
      if (this.#closed) return;
      this.devices = devices;
      this.problem = null;
    } catch (error) {
      this.problem = error instanceof Problem ? error.message : "The devices cannot be shown.";
      if (!(error instanceof Problem)) throw error;
    } finally {
      this.loading = false;
    }
    await this.#learn();
  }

  #take(id: string, data: unknown): void {
    if (!this.devices.some((device) => device.id === id)) this.#soon();
    const latest = this.#latestOf(id);
    latest.add(readingPoints(data));
    this.#glances.set(id, latest.glance());
  }

  /** Asks once of each new device what its series mean; the values come by the stream. */
  async #learn(): Promise<void> {
    for (const { id } of this.devices.slice(0, MOST_GLANCES)) {
      if (this.#learned.has(id) || this.#closed) continue;
      try {
        const { series } = await api.device(id);
        if (series.length === 0) continue;
        this.#learned.add(id);
        const latest = this.#latestOf(id);
        latest.learn(series);
        this.#glances.set(id, latest.glance());
      } catch (error) {
        // The row stands without figures; the next load tries again.
        if (!(error instanceof Problem)) throw error;
        return;
      }
    }
  }

  #latestOf(id: string): Latest {
    let latest = this.#latest.get(id);
    if (latest === undefined) {
      latest = new Latest();
      this.#latest.set(id, latest);
    }
    return latest;
  }

  #soon(): void {
    if (this.#timer !== null || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.load();
    }, RELOAD_EVERY_MS);
  }
}
