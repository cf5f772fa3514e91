/** The three figures of a device that the fleet's table shows, from its newest readings. */
import type { Series } from "../api/types";
import { PANELS, seriesOf } from "../chart/panels";
import type { ReadingPoint } from "./message";

export interface Glance {
  cpu: number | null;
  hottest: number | null;
  power: number | null;
}

export const NOTHING: Glance = { cpu: null, hottest: null, power: null };

export class Latest {
  #series: { cpu: Series[]; temperature: Series[]; power: Series[] } = { cpu: [], temperature: [], power: [] };
  #values = new Map<string, { t: number; v: number | null }>();

  /** What the series mean; values may have come before. */
  learn(all: readonly Series[]): void {
    const of = (id: string): Series[] => {
      const panel = PANELS.find((one) => one.id === id);
      return panel === undefined ? [] : seriesOf(panel, all);
    };
    this.#series = { cpu: of("cpu"), temperature: of("temperature"), power: of("power") };
  }

  add(points: readonly ReadingPoint[]): void {
    for (const { series, t, v } of points) {
      const old = this.#values.get(series);
      // A backlog comes after fresh blocks; it must not turn the table back.
      if (old === undefined || t >= old.t) this.#values.set(series, { t, v });
    }
  }

  glance(): Glance {
    const total = this.#of(this.#series.cpu.filter((series) => series.attributes["cpu.mode"] === undefined));
    // A source without a total has the shares of its modes, idle left out by the panel.
    const cpu = total.length > 0 ? total : this.#of(this.#series.cpu);
    const temperatures = this.#of(this.#series.temperature);
    const powers = this.#of(this.#series.power);
    return {
      cpu: cpu.length === 0 ? null : Math.min(1, sum(cpu)),
      hottest: temperatures.length === 0 ? null : Math.max(...temperatures),
      // Meters overlap (a package within a board), so their sum would count watts twice.
      power: powers.length === 0 ? null : Math.max(...powers),
    };
  }

  #of(series: readonly Series[]): number[] {
    return series.flatMap(({ id }) => {
      const value = this.#values.get(id)?.v;
      return value === null || value === undefined ? [] : [value];
    });
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
