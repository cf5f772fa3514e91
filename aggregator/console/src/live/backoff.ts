/** How long to wait before the next attempt: doubling, bounded, spread so that a fleet of
 * consoles does not come back at once. */
const FIRST_MS = 500;
const LONGEST_MS = 20_000;

/** `attempt` counts failures in a row from 1; `random` is in [0, 1). */
export function backoffMs(attempt: number, random: number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.round(whole / 2 + (whole / 2) * random);
}
