/** Which series a device's page draws, in which panel, under which name. */
import type { Series } from "../api/types";

export interface Panel {
  id: string;
  title: string;
  /** UCUM unit of the panel's axis. */
  unit: string;
  readingType: string;
  /** Read by the guard, from the machine's own sensors. */
  hardware: boolean;
  wants(series: Series): boolean;
  /** Said where the device has no such series. */
  empty: string;
  /** Not shown at all where it would be empty. */
  optional: boolean;
  axis: { floor: number | null; ceiling: number | null; least: number };
}

/** More lines than this can't be told apart. */
export const MAX_LINES = 12;

export const PANELS: readonly Panel[] = [
  {
    id: "temperature",
    title: "Temperature",
    unit: "Cel",
    readingType: "TEMPERATURE",
    hardware: true,
    wants: (series) => series.unit === "Cel",
    empty: "This machine offers no temperature sensor: neither hwmon nor a thermal zone is there to read.",
    optional: false,
    axis: { floor: null, ceiling: null, least: 10 },
  },
  {
    id: "power",
    title: "Power",
    unit: "W",
    readingType: "POWER",
    hardware: true,
    wants: (series) => series.unit === "W",
    empty: "This machine offers no power meter: neither powercap (RAPL) nor hwmon is there to read.",
    optional: false,
    axis: { floor: 0, ceiling: null, least: 20 },
  },
  {
    id: "cpu",
    title: "CPU",
    unit: "1",
    readingType: "UTILIZATION",
    hardware: false,
    wants: (series) => series.metric === "system.cpu.utilization" && !isSingleCore(series) && mode(series) !== "idle",
    empty: "No CPU utilization has been read from this machine yet.",
    optional: false,
    axis: { floor: 0, ceiling: 1, least: 1 },
  },
  {
    id: "fan",
    title: "Fans",
    unit: "{rpm}",
    readingType: "FAN_SPEED",
    hardware: true,
    wants: (series) => series.unit === "{rpm}",
    empty: "",
    optional: true,
    axis: { floor: 0, ceiling: null, least: 1000 },
  },
  {
    id: "memory",
    title: "Memory",
    unit: "1",
    readingType: "UTILIZATION",
    hardware: false,
    wants: (series) => series.metric === "system.memory.utilization" && (state(series) === null || state(series) === "used"),
    empty: "",
    optional: true,
    axis: { floor: 0, ceiling: 1, least: 1 },
  },
  {
    id: "pressure",
    title: "Pressure stall, 10 s",
    unit: "1",
    readingType: "PRESSURE",
    hardware: false,
    wants: (series) => series.unit === "1" && series.metric.endsWith(".some.avg10"),
    empty: "",
    optional: true,
    axis: { floor: 0, ceiling: null, least: 0.05 },
  },
];

/** The series of `panel`, in an order that stays. */
export function seriesOf(panel: Panel, all: readonly Series[]): Series[] {
  return all
    .filter((series) => series.reading_type === panel.readingType && panel.wants(series))
    .sort((a, b) => place(a) - place(b) || lineName(a).localeCompare(lineName(b), undefined, { numeric: true }) || a.id.localeCompare(b.id))
    .slice(0, MAX_LINES);
}

/** What a line is called in a legend. */
export function lineName(series: Series): string {
  const a = series.attributes;
  const named = a["hw.name"] ?? a["hw.id"] ?? a["cpu.mode"] ?? a["system.device"] ?? a["network.interface.name"] ?? a["system.memory.state"];
  if (named !== undefined && named !== "") return named;
  const words = series.metric.replace(/^(system|hw)\./, "").split(".");
  if (words[0] === "pressure") return words[1] ?? "pressure";
  return words.at(-1) === "utilization" ? "total" : words.join(" ");
}

/** The whole goes first, then its parts, the telling ones before the others. */
const PARTS = ["user", "system", "iowait", "steal", "nice", "interrupt"];

function place(series: Series): number {
  const part = mode(series) ?? state(series);
  if (part === null) return 0;
  const at = PARTS.indexOf(part);
  return at === -1 ? PARTS.length + 1 : at + 1;
}

function isSingleCore(series: Series): boolean {
  return Object.keys(series.attributes).some((key) => key === "cpu" || key.endsWith("logical_number"));
}

function mode(series: Series): string | null {
  return series.attributes["cpu.mode"] ?? null;
}

function state(series: Series): string | null {
  return series.attributes["system.memory.state"] ?? null;
}
