/** The commands that were given on this page, and what became of each. */
import { Problem } from "../api/problem";
import type { Operation } from "../api/types";
import { isFinal } from "../live/events";
import { operationVerdict, refusedVerdict, type Verdict } from "../live/verdict";
import { api, app, link } from "./app.svelte";

/** Where the stream says nothing of an operation, it is asked for after this long. */
const ASK_AFTER_MS = 5_000;
const MOST_ASKS = 12;

export class Command {
  busy = $state(false);
  verdict = $state<Verdict | null>(null);
  /** What waits for a second hand, with the token where it is ours to give. */
  armed = $state<Operation | null>(null);
  #operation: Operation | null = null;
  #leave: () => void;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #asks = 0;

  constructor(private readonly onChange: () => void) {
    this.#leave = link.subscribe("operations", (heard) => {
      if (heard.kind === "missed") void this.#ask();
      else this.#follow(heard.data as Operation);
    });
  }

  close(): void {
    this.#leave();
    this.#stopAsking();
  }

  /** Gives one command; the one before it is forgotten. */
  async give(call: () => Promise<Operation>): Promise<void> {
    this.busy = true;
    this.verdict = null;
    this.armed = null;
    this.#operation = null;
    this.#asks = 0;
    this.#stopAsking();
    try {
      this.#operation = await call();
      this.#show(this.#operation);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.verdict = refusedVerdict(error, app.now);
    } finally {
      this.busy = false;
      this.onChange();
    }
  }

  #follow(operation: Operation): void {
    if (this.#operation === null || operation.id !== this.#operation.id) return;
    if (isFinal(this.#operation) && !isFinal(operation)) return;
    // The stream does not carry tokens: what came late and is armed is asked for.
    if (operation.state === "armed" && operation.confirmation?.second_person === null) {
      if (this.#operation.state !== "armed") void this.#ask();
      return;
    }
    this.#operation = operation;
    this.#show(operation);
    this.onChange();
  }

  #show(operation: Operation): void {
    this.verdict = operationVerdict(operation, app.now);
    this.armed = operation.state === "armed" ? operation : null;
    this.#stopAsking();
    if (isFinal(operation) || this.#asks >= MOST_ASKS) return;
    this.#timer = setTimeout(() => void this.#ask(), ASK_AFTER_MS);
  }

  async #ask(): Promise<void> {
    const asked = this.#operation;
    if (asked === null || isFinal(asked)) return;
    this.#asks += 1;
    try {
      this.#follow(await api.operation(asked.id));
    } catch (error) {
      // The stream or the next answer tells; the last known state stands meanwhile.
      if (!(error instanceof Problem)) throw error;
      if (this.#operation === asked) this.#show(asked);
    }
  }

  #stopAsking(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
