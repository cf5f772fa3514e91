import { describe, expect, it } from "vitest";
import { diagnostic, Problem } from "../src/api/problem";
import type { FleetEvent, Limit, Operation, Series } from "../src/api/types";
import { lineName, PANELS, seriesOf } from "../src/chart/panels";
import { axisRange, thresholds } from "../src/chart/thresholds";
import { hardwareName, isOpaque, limitName } from "../src/format/names";
import { span } from "../src/format/time";
import { figure, withUnit } from "../src/format/units";
import { mergeEvents } from "../src/live/events";
import { Latest } from "../src/live/glance";
import { operationVerdict, refusedVerdict } from "../src/live/verdict";

const NOTHING = { warning: null, limit: null, trip: null };
const SAYS_NOTHING = { factory: NOTHING, local: NOTHING, fleet: NOTHING, layers_in_force: NOTHING, direction: "above", step: null } as const;

describe("figures", () => {
  it("carry the unit that people read", () => {
    for (const [value, unit, text] of [
      [61.25, "Cel", "61.3 °C"],
      [150, "W", "150.0 W"],
      [0.4, "1", "40.0 %"],
      [2400.4, "{rpm}", "2400 rpm"],
      [25_769_803_776, "By", "24.0 GiB"],
      [512, "By", "512 B"],
      [2_400_000_000, "Hz", "2.4 GHz"],
      [-0.01, "W", "0.0 W"],
      [null, "W", "–"],
      [Number.NaN, "W", "–"],
    ] as const) {
      expect(withUnit(value, unit).replace("\u202f", " ")).toBe(text);
    }
    expect(figure(7, "{count}")).toEqual({ text: "7", unit: "" });
  });

  it("tell a time span in two steps at most", () => {
    for (const [ms, text] of [[0, "0 s"], [8_000, "8 s"], [200_000, "3 min 20 s"], [120_000, "2 min"], [7_500_000, "2 h 5 min"], [353_000_000, "4 d 2 h"]] as const) {
      expect(span(ms)).toBe(text);
    }
  });
});

describe("a refusal", () => {
  const body = {
    status: 409,
    error: "interlock_active",
    code: "INTERLOCK_ACTIVE",
    message: "a cap of 450 W is above the limit",
    details: { interlock: "package power", reading: 141.3, limit: 160, unit: "W", since: "2026-01-01T00:00:00Z", clears_when: "the asked cap is at most 160 W", override_role: null },
  };

  it("by an interlock says which, how far, since when and what clears it", () => {
    const verdict = refusedVerdict(Problem.of(409, body), Date.parse("2026-01-01T00:05:00Z"));
    expect(verdict.tone).toBe("bad");
    expect(verdict.headline).toBe("Refused: a cap of 450 W is above the limit");
    expect(verdict.facts.map((fact) => fact.name)).toEqual(["Refused by", "Reading", "Limit", "Since", "Clears when"]);
    expect(verdict.facts[2]?.value.replace("\u202f", " ")).toBe("160.0 W");
  });

  it("without a reading leaves the reading out", () => {
    const bare = { ...body, details: { interlock: "trip", clears_when: "the trip is cleared" } };
    expect(refusedVerdict(Problem.of(409, bare), 0).facts.map((fact) => fact.name)).toEqual(["Refused by", "Clears when"]);
  });

  it("of any other kind is told in its own words, whoever wrote it", () => {
    expect(Problem.of(422, { code: "VALIDATION_ERROR", message: "no", field_errors: [{ field: "cap_watts", message: "must be positive" }] }).message).toBe("cap_watts: must be positive");
    expect(Problem.of(429, { error: "Rate limit exceeded", code: "RATE_LIMIT_EXCEEDED", retry_after: 12 }).retryAfterS).toBe(12);
    expect(Problem.of(502, null).message).toBe("The aggregator answered 502.");
    expect(Problem.of(400, { validationErrors: [{ line: 3, column: 7, message: "unexpected" }, "odd"] }).diagnostics.map(({ line, message }) => ({ line, message }))).toEqual([
      { line: 3, message: "unexpected" },
      { line: 0, message: "odd" },
    ]);
    expect(diagnostic(7).line).toBe(0);
  });
});

describe("an operation", () => {
  const base: Operation = { id: "o", kind: "thermal.fan_floor.set", state: "running", created_at: "", finished_at: null, result: null, errors: [], warnings: [], confirmation: null, target: { device_id: "d", actuator: null, word: null }, requested_by: "operator@example.org" };

  it("that was clamped says how far it was taken and what holds it", () => {
    const verdict = operationVerdict({ ...base, state: "succeeded", result: { clamped_to: 0.4, unit: "1", by: "cpu temperature" } }, 0);
    expect(verdict.headline.replace("\u202f", " ")).toBe("Taken only as far as 40.0 %.");
    expect(verdict.tone).toBe("warn");
    expect(verdict.facts).toEqual([{ name: "Held by", value: "cpu temperature" }]);
  });

  it("is told by its state", () => {
    expect(operationVerdict(base, 0).tone).toBe("quiet");
    expect(operationVerdict({ ...base, state: "succeeded" }, 0).tone).toBe("ok");
    expect(operationVerdict({ ...base, state: "expired" }, 0).headline).toBe("The operation is expired.");
    expect(operationVerdict({ ...base, state: "refused", errors: [{ message: "too hot" }] }, 0)).toEqual({ tone: "bad", headline: "Refused by the machine.", facts: [{ name: "Reason", value: "too hot" }] });
    const late = operationVerdict({ ...base, state: "refused", errors: [{ message: "too hot", details: { interlock: "cpu", reading: 96, limit: 85, unit: "Cel", clears_when: "it is below 82 Cel" } }] }, 0);
    expect(late.facts.map((fact) => fact.name)).toEqual(["Reason", "Refused by", "Reading", "Limit", "Clears when"]);
  });
});

describe("events", () => {
  it("stand newest first and once, from wherever they came", () => {
    const event = (id: string, at: string): FleetEvent => ({ id, device_id: "d", at, kind: "k", severity: "info", subject: "", message: "", reading: null, threshold: null, unit: null });
    const [a, b, c] = [event("a", "2026-01-01T00:00:01Z"), event("b", "2026-01-01T00:00:02Z"), event("c", "2026-01-01T00:00:02Z")] as const;
    expect(mergeEvents([b, a], [c, b]).map((one) => one.id)).toEqual(["c", "b", "a"]);
  });
});

function series(id: string, metric: string, reading_type: string, unit: string, attributes: Record<string, string> = {}): Series {
  return { id, metric, reading_type, unit, attributes };
}

const CPU = [
  series("idle", "system.cpu.utilization", "UTILIZATION", "1", { "cpu.mode": "idle" }),
  series("user", "system.cpu.utilization", "UTILIZATION", "1", { "cpu.mode": "user" }),
  series("core", "system.cpu.utilization", "UTILIZATION", "1", { "cpu.logical_number": "0" }),
  series("total", "system.cpu.utilization", "UTILIZATION", "1"),
];

describe("panels", () => {
  const cpu = PANELS.find((panel) => panel.id === "cpu");

  it("draw the whole of the CPU first, then its modes, without idle and single cores", () => {
    if (cpu === undefined) throw new Error("there is no CPU panel");
    expect(seriesOf(cpu, CPU).map(lineName)).toEqual(["total", "user"]);
  });

  it("name a line after what people call it", () => {
    expect(lineName(series("1", "hw.temperature", "TEMPERATURE", "Cel", { "hw.id": "k10temp/1", "hw.name": "Tctl" }))).toBe("Tctl");
    expect(lineName(series("2", "system.pressure.io.some.avg10", "PRESSURE", "1"))).toBe("io");
  });

  it("show a limit's lines once what it holds has come near, and room up to the next one", () => {
    const limit = { ...SAYS_NOTHING, name: "cpu", zone: "z", reading_type: "TEMPERATURE", unit: "Cel", warning: 75, limit: 85, trip: 95, hysteresis: 3, layer: "factory", state: "normal", reading: 60, since: null, sensors: [] } satisfies Limit;
    const inlet = { ...limit, warning: 40, limit: 45, trip: 50 };
    const lines = thresholds(
      [
        { limit, name: "cpu", high: 70 },
        { limit, name: "vrm", high: 72 },
        { limit: inlet, name: "inlet", high: 22 },
        { limit: { ...limit, reading_type: "POWER", warning: 1 }, name: "board", high: 70 },
      ],
      "TEMPERATURE",
    );
    expect(lines.map((line) => [line.kind, line.value, line.name])).toEqual([
      ["warning", 75, "cpu, vrm"],
      ["limit", 85, "cpu, vrm"],
      ["trip", 95, "cpu, vrm"],
    ]);
    expect(thresholds([{ limit: { ...limit, state: "tripped" }, name: "cpu", high: 20 }], "TEMPERATURE")).toHaveLength(3);
    const axis = { floor: null, ceiling: null, least: 10 };
    expect(axisRange(20, 72, axis, lines)[1]).toBeGreaterThan(75);
    expect(axisRange(20, 72, axis, lines)[1]).toBeLessThan(85);
    expect(axisRange(30, 31, axis, [])[1]).toBeLessThan(50);
    expect(axisRange(null, null, { floor: 0, ceiling: 1, least: 1 }, [])).toEqual([0, 1]);
  });
});

describe("names", () => {
  const sensors = [series("1", "hw.temperature", "TEMPERATURE", "Cel", { "hw.id": "board@platform/plant.0/temp1:package", "hw.name": "Package" })];
  const limit = { ...SAYS_NOTHING, name: "board@platform/plant.0/temp1:package", zone: "board", reading_type: "TEMPERATURE", unit: "Cel", warning: 80, limit: 85, trip: 90, hysteresis: 3, layer: "factory", state: "normal", reading: 60, since: null, sensors: ["board@platform/plant.0/temp1:package"] } satisfies Limit;

  it("are those of the hardware, and the end of its path where it has none", () => {
    expect(limitName(limit, sensors)).toBe("Package");
    expect(limitName(limit, [])).toBe("temp1:package");
    expect(limitName({ ...limit, name: "all of them", sensors: ["a", "b"] }, sensors)).toBe("all of them");
    expect(hardwareName("x/pwm1", sensors)).toBe("pwm1");
  });

  it("leave out what says nothing to a reader", () => {
    expect(isOpaque("01a200d9-2086-7d9b-86b6-f05ac61916c6")).toBe(true);
    expect(isOpaque("thermal/x86_pkg_temp")).toBe(false);
  });
});

describe("the fleet's figures", () => {
  it("are the newest ones, and the total of the CPU rather than a sum", () => {
    const latest = new Latest();
    latest.add([
      { series: "total", t: 2000, v: 0.5 },
      { series: "user", t: 2000, v: 0.4 },
      { series: "hot", t: 2000, v: 70 },
      { series: "cold", t: 2000, v: 20 },
      { series: "hot", t: 1000, v: 99 },
    ]);
    expect(latest.glance()).toEqual({ cpu: null, hottest: null, power: null });
    latest.learn([...CPU, series("hot", "hw.temperature", "TEMPERATURE", "Cel"), series("cold", "hw.temperature", "TEMPERATURE", "Cel")]);
    expect(latest.glance()).toEqual({ cpu: 0.5, hottest: 70, power: null });
    latest.add([{ series: "hot", t: 3000, v: null }]);
    expect(latest.glance().hottest).toBe(20);
  });
});
