/** One request and its answer: JSON in, JSON or a `Problem` out, never longer than its time. */
import { Problem } from "./problem";

const TIMEOUT_MS = 30_000;

export interface Call {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  /** JSON, or a form with a file. */
  body?: unknown;
  token?: string | null;
  idempotencyKey?: string;
  /** Sends the cookies of a sign-in elsewhere along; nothing else has any. */
  cookies?: boolean;
}

export async function send(call: Call): Promise<unknown> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (call.token) headers["Authorization"] = `Bearer ${call.token}`;
  // The browser names a form's own boundary.
  const form = call.body instanceof FormData ? call.body : null;
  if (call.body !== undefined && form === null) headers["Content-Type"] = "application/json";
  if (call.idempotencyKey) headers["Idempotency-Key"] = call.idempotencyKey;
  let response: Response;
  let text: string;
  try {
    response = await fetch(call.path, {
      method: call.method,
      headers,
      body: form ?? (call.body === undefined ? null : JSON.stringify(call.body)),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      credentials: call.cookies ? "same-origin" : "omit",
      cache: "no-store",
    });
    text = await response.text();
  } catch (cause) {
    throw Problem.unreachable(cause);
  }
  const body = parse(text);
  if (!response.ok) throw Problem.of(response.status, body, response.headers.get("Retry-After"));
  return body;
}

function parse(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** `path` with the parameters that have a value. */
export function query(path: string, parameters: Record<string, string | number | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const tail = search.toString();
  return tail === "" ? path : `${path}?${tail}`;
}
