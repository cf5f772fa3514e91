/** Numbers as people read them: a UCUM unit in, a figure with its unit out. */

export interface Figure {
  text: string;
  unit: string;
}

const DASH = "–";
const NARROW_SPACE = "\u202f";

/** `value` of UCUM `unit`; a share is shown in percent, bytes and hertz with their prefix. */
export function figure(value: number | null | undefined, unit: string | null, digits?: number): Figure {
  if (value === null || value === undefined || !Number.isFinite(value)) return { text: DASH, unit: "" };
  switch (unit) {
    case "Cel":
      return { text: fixed(value, digits ?? 1), unit: "°C" };
    case "1":
      return { text: fixed(value * 100, digits ?? 1), unit: "%" };
    case "{rpm}":
      return { text: fixed(value, digits ?? 0), unit: "rpm" };
    case "{count}":
      return { text: fixed(value, digits ?? 0), unit: "" };
    case "By":
      return scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB"], digits);
    case "By/s":
      return scaled(value, 1024, ["B/s", "KiB/s", "MiB/s", "GiB/s"], digits);
    case "Hz":
      return scaled(value, 1000, ["Hz", "kHz", "MHz", "GHz"], digits);
    case null:
      return { text: fixed(value, digits ?? 1), unit: "" };
    default:
      return { text: fixed(value, digits ?? 1), unit };
  }
}

export function withUnit(value: number | null | undefined, unit: string | null, digits?: number): string {
  const f = figure(value, unit, digits);
  return f.unit === "" ? f.text : `${f.text}${NARROW_SPACE}${f.unit}`;
}

/** The unit alone, as the heading of a chart or the end of a field shows it. */
export function unitName(unit: string): string {
  return figure(0, unit).unit;
}

function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}

function scaled(value: number, step: number, units: string[], digits?: number): Figure {
  let size = value;
  let index = 0;
  while (Math.abs(size) >= step && index < units.length - 1) {
    size /= step;
    index += 1;
  }
  return { text: fixed(size, digits ?? (index === 0 ? 0 : 1)), unit: units[index] ?? "" };
}
