// Compiled, never run: what the console reads of the API is what the v1 document says is there.
import type * as ours from "../../src/api/types";
import type { components } from "../../node_modules/.flyball/v1";

type Documented = components["schemas"];

/** A shape as a document can say it: words for unions of words, and `null` may be left out. */
type Loose<T> = T extends string
  ? string
  : T extends number
    ? number
    : T extends boolean | null | undefined
      ? T
      : unknown extends T
        ? unknown
        : T extends readonly (infer Item)[]
          ? Loose<Item>[]
          : { [K in keyof T as null extends T[K] ? never : K]: Loose<T[K]> } & { [K in keyof T as null extends T[K] ? K : never]?: Loose<T[K]> };

type Agrees<Ours, Theirs> = Theirs extends Loose<Ours> ? true : { expected: Loose<Ours>; documented: Theirs };

export const agreements: [
  Agrees<ours.Device, Documented["Device"]>,
  Agrees<ours.DeviceDetail, Documented["DeviceDetail"]>,
  Agrees<ours.Series, Documented["Series"]>,
  Agrees<ours.Limit, Documented["Limit"]>,
  Agrees<ours.StandingInterlock, Documented["Interlock"]>,
  Agrees<ours.Lock, Documented["Lock"]>,
  Agrees<ours.Trip, Documented["Trip"]>,
  Agrees<ours.PowerStatus, Documented["PowerStatus"]>,
  Agrees<ours.FleetEvent, Documented["Event"]>,
  Agrees<ours.Operation, Documented["Operation"]>,
  Agrees<ours.SeriesReadings, Omit<Documented["SeriesReadings"], "points"> & { points: [number, number | null][] }>,
  Agrees<ours.SignedIn, Documented["SignedIn"]>,
  Agrees<ours.SignInProvider, Documented["SignInProvider"]>,
  Agrees<ours.Plugin, Documented["Plugin"]>,
  Agrees<ours.PluginPackage, Documented["Package"]>,
  Agrees<ours.Publisher, Documented["Publisher"]>,
  Agrees<ours.Rollout, Documented["Rollout"]>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true];
