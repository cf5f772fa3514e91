/** A DOT source, its faults, and its picture. */
import { Problem } from "../api/problem";
import type { Diagnostic, Picture } from "../api/types";
import { api } from "./app.svelte";

export const EXAMPLE = `digraph governor {
  rankdir=LR
  node [shape=box, style=rounded]
  sensor -> guard [label="reading"]
  guard -> actuator [label="limit"]
  guard -> agent [label="records"]
  agent -> aggregator [label="blocks"]
  aggregator -> agent [label="commands"]
  agent -> guard [label="proposals"]
}
`;

export class Diagram {
  code = $state(EXAMPLE);
  busy = $state(false);
  problem = $state<string | null>(null);
  errors = $state<Diagnostic[]>([]);
  picture = $state<Picture | null>(null);
  tookMs = $state(0);
  #drawn = $state("");
  #validated = $state<string | null>(null);

  get uri(): string {
    return this.picture === null ? "" : `data:${this.picture.mimeType};base64,${this.picture.data}`;
  }

  get stale(): boolean {
    return this.#drawn !== this.code;
  }

  get valid(): boolean {
    return this.#validated === this.code;
  }

  validate(): Promise<void> {
    return this.#ask(async (code) => {
      const answer = await api.validate(code);
      this.errors = answer.errors;
      if (answer.valid) this.#validated = code;
      else this.problem = "The source has faults.";
    });
  }

  render(): Promise<void> {
    return this.#ask(async (code) => {
      const began = performance.now();
      this.picture = await api.render(code);
      this.tookMs = Math.round(performance.now() - began);
      this.#drawn = code;
    });
  }

  async #ask(run: (code: string) => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.problem = null;
    this.errors = [];
    this.#validated = null;
    try {
      await run(this.code);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem = error.message;
      this.errors = error.diagnostics;
    } finally {
      this.busy = false;
    }
  }
}
