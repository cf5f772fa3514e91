/**
 * Who is signed in, and the two tokens that prove it.
 *
 * The access token lives in memory only; the refresh token lives in the tab's session storage, so
 * that a reload keeps the session and closing the tab ends it. Refreshing is single-flight,
 * because a refresh token that is used twice revokes its whole family.
 */
import { Problem } from "./problem";
import type { Returned } from "./providers";
import type { SignedIn, Tokens, User } from "./types";

/** Refresh after this part of the access token's life. */
const REFRESH_AT = 0.8;
/** A token this close to its end is not sent any more. */
const MARGIN_MS = 10_000;
const RETRY_MS = 5_000;
const KEY = "flyball.refresh";
const FINGERPRINT = "flyball.browser";

export type SessionState =
  | { kind: "restoring" }
  | { kind: "signed-out"; reason: string | null }
  | { kind: "signed-in"; user: User };

export interface Wiring {
  post(path: string, body: unknown, token: string | null): Promise<unknown>;
  get(path: string, token: string): Promise<unknown>;
  /** Of the tab. */
  store: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  /** Of the browser. */
  keep: Pick<Storage, "getItem" | "setItem">;
  now(): number;
  after(ms: number, run: () => void): () => void;
}

export class Session {
  #state: SessionState = { kind: "restoring" };
  #access: { token: string; endsAt: number } | null = null;
  #refreshing: Promise<string> | null = null;
  #cancelTimer: () => void = () => {};
  #listeners = new Set<(state: SessionState) => void>();
  #tokenListeners = new Set<(token: string) => void>();

  constructor(private readonly wiring: Wiring) {}

  get state(): SessionState {
    return this.#state;
  }

  onState(listener: (state: SessionState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#state);
    return () => this.#listeners.delete(listener);
  }

  /** Called with each new access token, so that an open stream can prove itself again. */
  onToken(listener: (token: string) => void): () => void {
    this.#tokenListeners.add(listener);
    return () => this.#tokenListeners.delete(listener);
  }

  /** Takes up the session of this tab, if it had one, or the one that a provider opened. */
  async restore(returned: Returned | null = null): Promise<void> {
    if (returned?.kind === "code") return this.#arrive(returned.code);
    if (this.wiring.store.getItem(KEY) === null) {
      this.#enter({ kind: "signed-out", reason: returned?.kind === "refused" ? returned.reason : null });
      return;
    }
    try {
      const token = await this.refresh();
      const me = data(await this.wiring.get("/api/v1/auth/me", token)) as { user: User };
      this.#enter({ kind: "signed-in", user: me.user });
    } catch (error) {
      this.end(error instanceof Problem && error.status === 0 ? error.message : "The session has ended. Sign in again.");
    }
  }

  async signIn(email: string, password: string): Promise<void> {
    const answer = data(
      await this.wiring.post("/api/v1/auth/login", { email, password, device: this.#browser() }, null),
    ) as SignedIn;
    this.#take(answer.tokens);
    this.#enter({ kind: "signed-in", user: answer.user });
  }

  /** Exchanges the code of a sign-in elsewhere; it is good once, for a minute. */
  async #arrive(code: string): Promise<void> {
    try {
      const answer = data(
        await this.wiring.post("/api/v1/auth/oidc/exchange", { code, device: this.#browser() }, null),
      ) as SignedIn;
      this.#take(answer.tokens);
      this.#enter({ kind: "signed-in", user: answer.user });
    } catch (error) {
      this.end(error instanceof Problem ? error.message : "Signing in failed. Try again.");
    }
  }

  async signOut(): Promise<void> {
    const refresh_token = this.wiring.store.getItem(KEY);
    const token = this.#access?.token ?? null;
    this.end(null);
    if (refresh_token === null) return;
    try {
      await this.wiring.post("/api/v1/auth/logout", { refresh_token, all_devices: false }, token);
    } catch {
      // The tokens are gone from here; on the server they end by their own time.
    }
  }

  /** A token that is good for a request now. */
  async token(): Promise<string> {
    if (this.#access !== null && this.wiring.now() < this.#access.endsAt - MARGIN_MS) return this.#access.token;
    return this.refresh();
  }

  refresh(): Promise<string> {
    this.#refreshing ??= this.#exchange().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  end(reason: string | null): void {
    this.#cancelTimer();
    this.#access = null;
    this.wiring.store.removeItem(KEY);
    this.#enter({ kind: "signed-out", reason });
  }

  async #exchange(): Promise<string> {
    const refresh_token = this.wiring.store.getItem(KEY);
    if (refresh_token === null) throw new Problem(401, "signed_out", "Nobody is signed in.");
    try {
      const answer = data(await this.wiring.post("/api/v1/auth/refresh", { refresh_token }, null)) as { tokens: Tokens };
      this.#take(answer.tokens);
      return answer.tokens.access_token;
    } catch (error) {
      if (error instanceof Problem && (error.status === 401 || error.status === 400)) {
        this.end("The session has ended. Sign in again.");
      }
      throw error;
    }
  }

  #take(tokens: Tokens): void {
    const lifeMs = tokens.expires_in * 1000;
    this.#access = { token: tokens.access_token, endsAt: this.wiring.now() + lifeMs };
    this.wiring.store.setItem(KEY, tokens.refresh_token);
    this.#schedule(lifeMs * REFRESH_AT);
    for (const listener of this.#tokenListeners) listener(tokens.access_token);
  }

  #schedule(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.wiring.after(ms, () => {
      // A refused refresh has ended the session already; anything else is tried again.
      this.refresh().catch(() => {
        if (this.#state.kind === "signed-in") this.#schedule(RETRY_MS);
      });
    });
  }

  #enter(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  #browser(): object {
    let fingerprint = this.wiring.keep.getItem(FINGERPRINT);
    if (fingerprint === null) {
      fingerprint = randomId();
      this.wiring.keep.setItem(FINGERPRINT, fingerprint);
    }
    return { fingerprint, name: "Flyball console", type: "web", model: "browser", os_version: "", app_version: "0.1.0" };
  }
}

/** `crypto.randomUUID` is absent where the page came over plain HTTP from another machine. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function data(body: unknown): unknown {
  return (body as { data: unknown }).data;
}
