/** Times as people read them, always in the browser's zone and 24 hours. */

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "2-digit", month: "short" });

export function clock(ms: number): string {
  return CLOCK.format(ms);
}

/** The clock, with the day where it is not today's. */
export function moment(at: string | number | null, nowMs: number): string {
  const ms = typeof at === "string" ? Date.parse(at) : at;
  if (ms === null || Number.isNaN(ms)) return "–";
  const sameDay = new Date(ms).toDateString() === new Date(nowMs).toDateString();
  return sameDay ? clock(ms) : `${DAY.format(ms)} ${clock(ms)}`;
}

/** How long: `8 s`, `3 min 20 s`, `2 h 5 min`, `4 d 2 h`. */
export function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return pair(Math.floor(s / 60), "min", s % 60, "s");
  if (s < 86_400) return pair(Math.floor(s / 3600), "h", Math.floor((s % 3600) / 60), "min");
  return pair(Math.floor(s / 86_400), "d", Math.floor((s % 86_400) / 3600), "h");
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

export function ago(at: string | number | null, nowMs: number): string {
  const ms = typeof at === "string" ? Date.parse(at) : at;
  if (ms === null || Number.isNaN(ms)) return "never";
  return nowMs - ms < 5_000 ? "just now" : `${span(nowMs - ms)} ago`;
}
