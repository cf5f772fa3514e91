import { describe, expect, it } from "vitest";
import type { Device, FleetEvent, Limit, Operation } from "../src/api/types";
import { concerns, identityOf, kindName } from "../src/format/devices";
import { scaleOf, standsAgainst, verbName } from "../src/live/layers";
import { operationVerdict } from "../src/live/verdict";

const NOTHING = { warning: null, limit: null, trip: null };
const LIMIT: Limit = {
  name: "cpu",
  zone: "board",
  reading_type: "TEMPERATURE",
  unit: "Cel",
  warning: 75,
  limit: 85,
  trip: 95,
  hysteresis: 3,
  layer: "factory",
  factory: { warning: 80, limit: 85, trip: 95 },
  local: { warning: 75, limit: null, trip: null },
  fleet: NOTHING,
  layers_in_force: { warning: "local", limit: "factory", trip: "factory" },
  direction: "above",
  step: null,
  state: "normal",
  reading: 40,
  since: null,
  sensors: [],
};

describe("a limit's layers", () => {
  it("stand on one scale, each with what of it is in force", () => {
    const scale = scaleOf(LIMIT);
    expect(scale?.layers.map(({ layer, marks }) => [layer, marks.map((mark) => [mark.threshold, mark.inForce])])).toEqual([
      ["factory", [["warning", false], ["limit", true], ["trip", true]]],
      ["local", [["warning", true]]],
    ]);
    expect(scale?.low).toBe(0);
    const places = scale?.layers[0]?.marks.map((mark) => mark.at) ?? [];
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(Math.max(...places)).toBeLessThan(100);
    expect(scale?.reading).toBeLessThan(places[0] ?? 0);
  });

  it("keep inside the scale where everything is one value, negative or not there", () => {
    const one = { ...LIMIT, factory: { ...NOTHING, trip: -20 }, local: NOTHING, reading: -20 };
    const scale = scaleOf(one);
    expect(scale?.layers[0]?.marks[0]?.at).toBeGreaterThan(0);
    expect(scale?.layers[0]?.marks[0]?.at).toBeLessThan(100);
    expect(scaleOf({ ...LIMIT, factory: NOTHING, local: NOTHING })).toBeNull();
    expect(scaleOf({ ...LIMIT, reading: null })?.reading).toBeNull();
  });
});

describe("a switch", () => {
  it("has its verbs in words, and says which lock stands against which", () => {
    expect(verbName("PowerCycle")).toBe("Power cycle");
    expect(verbName("PushButton")).toBe("PushButton");
    expect(standsAgainst({ reset_type: "On", energises: true, destructive: false }, ["rack 3"])).toBe("Locked by rack 3.");
    expect(standsAgainst({ reset_type: "ForceOff", energises: false, destructive: true }, ["rack 3"])).toBeNull();
  });

  it("that is armed has done nothing yet", () => {
    const operation: Operation = {
      id: "o",
      kind: "power.reset",
      state: "armed",
      created_at: "",
      finished_at: null,
      result: null,
      errors: [],
      warnings: [],
      confirmation: { token: "t", expires_at: "", target: "bmc-1/power, serial 42", state: "On", consequence: "It loses power at once.", second_person: false },
      target: { device_id: "d", actuator: "bmc-1/power", word: "PowerCycle" },
      requested_by: "operator@example.org",
    };
    const verdict = operationVerdict(operation, 0);
    expect(verdict.tone).toBe("warn");
    expect(verdict.headline).toBe("Nothing has happened yet: it waits to be confirmed.");
    expect(verdict.facts).toEqual([{ name: "Meant is", value: "bmc-1/power, serial 42" }]);
  });
});

describe("equipment", () => {
  const pdu: Device = {
    id: "e",
    name: "pdu-1",
    kind: "pdu",
    status: "offline",
    gateway: "g",
    last_seen_at: null,
    enrolled_at: "",
    machine: null,
    equipment: { key: "pdu-1", driver: "snmp", vendor: "Rack", model: "P24", serial: "42", firmware: null, address: "192.0.2.7:161", state: "unreachable", since: null, reason: "timed out" },
    guard: { attached: true },
  };
  const event = (device_id: string, subject: string): FleetEvent => ({ id: "1", device_id, at: "", kind: "k", severity: "info", subject, message: "", reading: null, threshold: null, unit: null });

  it("goes by its maker, its serial number and where it is reached", () => {
    expect(kindName("pdu")).toBe("PDU");
    expect(identityOf(pdu)).toEqual(["Rack P24", "serial 42", "snmp at 192.0.2.7:161", "unreachable: timed out"]);
  });

  it("that says nothing of itself goes by how it is read", () => {
    const sensor = { ...pdu, equipment: { key: "s", driver: "mqtt", vendor: null, model: null, serial: null, firmware: null, address: "", state: "connected", since: null, reason: null } } as const;
    expect(identityOf(sensor)).toEqual(["by mqtt"]);
  });

  it("is concerned by what its gateway tells of its own parts", () => {
    for (const [device, subject, is] of [["g", "pdu-1", true], ["g", "pdu-1/outlet-4", true], ["g", "pdu-10/outlet-4", false], ["g", "cpu", false], ["x", "pdu-1", false]] as const) {
      expect(concerns(pdu, event(device, subject))).toBe(is);
    }
    const machine = { ...pdu, id: "g", gateway: null, equipment: null };
    expect(concerns(machine, event("g", "pdu-1/outlet-4"))).toBe(true);
    expect(concerns(machine, event("x", "cpu"))).toBe(false);
  });
});
