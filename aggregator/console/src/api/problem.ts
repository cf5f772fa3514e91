/** A refusal or failure of the API as a value: what it was, why, and what clears it. */
import type { Diagnostic, Interlock } from "./types";

export class Problem extends Error {
  constructor(
    /** HTTP status; 0 where no answer came. */
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
    readonly requestId: string | null = null,
    readonly recovery: string | null = null,
    readonly retryAfterS: number | null = null,
    readonly diagnostics: Diagnostic[] = [],
  ) {
    super(message);
    this.name = "Problem";
  }

  /** The interlock that stands against a command, where that is the reason. */
  get interlock(): Interlock | null {
    return this.code === "interlock_active" ? interlockOf(this.details) : null;
  }

  static unreachable(cause: unknown): Problem {
    const why = cause instanceof Error && cause.name === "TimeoutError" ? "did not answer in time" : "cannot be reached";
    return new Problem(0, "unreachable", `The aggregator ${why}.`, {}, null, "Check that it runs and that this machine reaches it.");
  }

  /** Of an answer that is not 2xx, whichever dialect or proxy wrote it. */
  static of(status: number, body: unknown, retryAfter: string | null = null): Problem {
    const o = record(body);
    const code = (text(o["code"]) ?? text(o["error"]) ?? `http_${status}`).toLowerCase();
    const message = fieldSentence(o["field_errors"]) ?? text(o["message"]) ?? text(o["detail"]) ?? text(o["title"]) ?? text(o["error"]) ?? `The aggregator answered ${status}.`;
    const seconds = number(o["retry_after"]) ?? (retryAfter === null ? null : number(Number(retryAfter)));
    return new Problem(status, code, message, record(o["details"]), text(o["request_id"]), text(o["recovery"]), seconds, diagnostics(o));
  }
}

/** The interlock that a refusal's details tell of; `null` where they name none. */
export function interlockOf(details: unknown): Interlock | null {
  const { interlock, reading, limit, unit, since, clears_when } = record(details);
  const name = text(interlock);
  if (name === null) return null;
  return { interlock: name, reading: number(reading), limit: number(limit), unit: text(unit), since: text(since), clears_when: text(clears_when) ?? "" };
}

function diagnostics(body: Record<string, unknown>): Diagnostic[] {
  const list = body["validationErrors"] ?? body["validation_errors"] ?? record(body["details"])["validationErrors"];
  return Array.isArray(list) ? list.map(diagnostic) : [];
}

/** One diagnostic of a renderer; a bare string is one too. */
export function diagnostic(value: unknown): Diagnostic {
  if (typeof value === "string") return { line: 0, column: 0, message: value };
  const o = record(value);
  return {
    line: number(o["line"]) ?? 0,
    column: number(o["column"]) ?? 0,
    message: text(o["message"]) ?? "The source is not valid.",
    code: text(o["code"]) ?? "",
    severity: text(o["severity"]) ?? "error",
  };
}

function fieldSentence(value: unknown): string | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  return value
    .map((entry) => {
      const o = record(entry);
      return `${text(o["field"]) ?? "a field"}: ${text(o["message"]) ?? "not valid"}`;
    })
    .join("; ");
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
