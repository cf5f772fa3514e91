/** Events, newest first: a page of history, then the stream; bounded, older ones on request. */
import { Problem } from "../api/problem";
import type { FleetEvent } from "../api/types";
import { mergeEvents } from "../live/events";
import { api, link } from "./app.svelte";

const PAGE = 50;

export class EventFeed {
  list = $state<FleetEvent[]>([]);
  loading = $state(true);
  problem = $state<string | null>(null);
  cursor = $state<string | null>(null);

  /** Which events of the stream are the device's: equipment's come from its gateway. */
  concerns: (event: FleetEvent) => boolean = (event) => event.device_id === this.device;

  /** What came by the stream, as against what was read. */
  readonly arrived = new Set<string>();

  #closed = false;
  #leave: () => void;

  /** Of one device, or of the fleet. */
  constructor(
    private readonly device: string | undefined,
    private readonly onEvent: (event: FleetEvent) => void = () => {},
  ) {
    this.#leave = link.subscribe("events", (heard) => {
      if (heard.kind === "missed") {
        void this.load();
        return;
      }
      const event = heard.data as FleetEvent;
      if (this.device !== undefined && !this.concerns(event)) return;
      this.arrived.add(event.id);
      this.list = mergeEvents(this.list, [event]);
      this.onEvent(event);
    });
    void this.load();
  }

  close(): void {
    this.#closed = true;
    this.#leave();
  }

  load(): Promise<void> {
    return this.#read(null);
  }

  older(): Promise<void> {
    return this.#read(this.cursor);
  }

  async #read(cursor: string | null): Promise<void> {
    this.loading = true;
    try {
      const page = await api.events({ device: this.device, cursor, limit: PAGE });
      if (this.#closed) return;
      const first = this.list.length === 0 || cursor !== null;
      this.list = mergeEvents(this.list, page.data);
      // A reload after a reconnect only fills the top; the way to older ones stays where it was.
      if (first) this.cursor = page.meta?.next_cursor ?? null;
      this.problem = null;
    } catch (error) {
      this.problem = error instanceof Problem ? error.message : "The events cannot be shown.";
      if (!(error instanceof Problem)) throw error;
    } finally {
      this.loading = false;
    }
  }
}
