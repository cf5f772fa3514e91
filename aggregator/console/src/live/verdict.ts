/** What became of a command, in the words that the operator gets. */
import { interlockOf, type Problem } from "../api/problem";
import type { Interlock, Operation } from "../api/types";
import { moment } from "../format/time";
import { withUnit } from "../format/units";
import { isFinal } from "./events";

export interface Verdict {
  tone: "ok" | "warn" | "bad" | "quiet";
  headline: string;
  facts: { name: string; value: string }[];
}

export function refusedVerdict(problem: Problem, nowMs: number): Verdict {
  const interlock = problem.interlock;
  if (interlock === null) {
    const facts = problem.recovery === null ? [] : [{ name: "What to do", value: problem.recovery }];
    return { tone: "bad", headline: problem.message, facts };
  }
  return { tone: "bad", headline: `Refused: ${problem.message}`, facts: interlockFacts(interlock, nowMs) };
}

function interlockFacts(interlock: Interlock, nowMs: number): Verdict["facts"] {
  const facts = [
    { name: "Refused by", value: interlock.interlock },
    { name: "Reading", value: withUnit(interlock.reading, interlock.unit) },
    { name: "Limit", value: withUnit(interlock.limit, interlock.unit) },
    { name: "Since", value: moment(interlock.since, nowMs) },
    { name: "Clears when", value: interlock.clears_when },
  ];
  return facts.filter((fact) => fact.value !== "" && fact.value !== "–");
}

export function operationVerdict(operation: Operation, nowMs: number): Verdict {
  const { result } = operation;
  const facts: Verdict["facts"] = [];
  const unit = result?.unit ?? null;
  if (result?.observed !== null && result?.observed !== undefined) {
    facts.push({ name: "Read back", value: withUnit(result.observed, unit) });
  }
  const clamp = result?.clamped_to;
  if (clamp !== null && clamp !== undefined) {
    if (result?.by) facts.unshift({ name: "Held by", value: result.by });
    return { tone: "warn", headline: `Taken only as far as ${withUnit(clamp, unit)}.`, facts: [...facts, ...errors(operation)] };
  }
  switch (operation.state) {
    case "succeeded":
      return { tone: "ok", headline: result?.verified === false ? "Taken; the read-back does not agree yet." : "Done: the machine took it.", facts };
    case "refused":
      return { tone: "bad", headline: "Refused by the machine.", facts: [...errors(operation), ...lateInterlock(operation, nowMs)] };
    case "failed":
    case "expired":
    case "cancelled":
      return { tone: "bad", headline: `The operation ${operation.state === "failed" ? "failed" : `is ${operation.state}`}.`, facts: errors(operation) };
    case "armed":
      return { tone: "warn", headline: "Nothing has happened yet: it waits to be confirmed.", facts: [{ name: "Meant is", value: operation.confirmation?.target ?? "" }].filter((fact) => fact.value !== "") };
    case "queued":
      return { tone: "quiet", headline: "Queued: it is sent when the machine connects.", facts };
    default:
      return { tone: isFinal(operation) ? "warn" : "quiet", headline: isFinal(operation) ? `The operation is ${words(operation.state)}.` : "Accepted; waiting for the read-back.", facts };
  }
}

/** A machine that was away refuses when it comes back, and says why as it does at once. */
function lateInterlock(operation: Operation, nowMs: number): Verdict["facts"] {
  const details = (operation.errors[0] as { details?: unknown } | undefined)?.details;
  const interlock = interlockOf(details);
  return interlock === null ? [] : interlockFacts(interlock, nowMs);
}

function errors(operation: Operation): Verdict["facts"] {
  return operation.errors.slice(0, 5).map((error) => ({ name: "Reason", value: errorText(error) }));
}

function errorText(error: unknown): string {
  if (typeof error === "string") return error;
  const message = (error as { message?: unknown; detail?: unknown } | null)?.message ?? (error as { detail?: unknown } | null)?.detail;
  return typeof message === "string" ? message : JSON.stringify(error);
}

function words(state: string): string {
  return state.replaceAll("_", " ");
}
