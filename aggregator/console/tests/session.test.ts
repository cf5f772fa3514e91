import { describe, expect, it } from "vitest";
import { Api } from "../src/api/client";
import { query, type Call } from "../src/api/http";
import { Problem } from "../src/api/problem";
import { providers, returned } from "../src/api/providers";
import { Session } from "../src/api/session";

function memory(entries: Record<string, string> = {}) {
  const map = new Map(Object.entries(entries));
  return {
    map,
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    removeItem: (key: string) => void map.delete(key),
  };
}

const USER = { id: "u", email: "a@example.org", display_name: "A", role: "superuser" };

/** A server with rotating refresh tokens: each is good once. */
class Rig {
  now = 0;
  issued = 0;
  good = "refresh-0";
  refreshes = 0;
  down = false;
  timers: { at: number; run: () => void }[] = [];
  store = memory();
  session: Session;

  constructor(stored?: string) {
    if (stored !== undefined) this.store.setItem("flyball.refresh", stored);
    this.session = new Session({
      post: (path, body) => Promise.resolve().then(() => this.post(path, body as Record<string, string>)),
      get: () => Promise.resolve({ data: { user: USER } }),
      store: this.store,
      keep: memory(),
      now: () => this.now,
      after: (ms, run) => {
        const timer = { at: this.now + ms, run };
        this.timers.push(timer);
        return () => void (this.timers = this.timers.filter((one) => one !== timer));
      },
    });
  }

  private post(path: string, body: Record<string, string>): unknown {
    if (this.down) throw new Problem(0, "unreachable", "down");
    if (path.endsWith("/logout")) return { data: {} };
    if (path.endsWith("/refresh")) {
      this.refreshes += 1;
      if (body["refresh_token"] !== this.good) throw new Problem(401, "token_reused", "used");
    } else if (path.endsWith("/oidc/exchange")) {
      if (body["code"] !== "fbo1.good") throw new Problem(401, "invalid_token", "The code has expired.");
    } else if (body["password"] !== "right") throw new Problem(401, "invalid_credentials", "wrong");
    this.issued += 1;
    this.good = `refresh-${this.issued}`;
    return { data: { user: USER, tokens: { access_token: `access-${this.issued}`, refresh_token: this.good, expires_in: 900 } } };
  }

  async pass(ms: number): Promise<void> {
    this.now += ms;
    const due = this.timers.filter((one) => one.at <= this.now);
    this.timers = this.timers.filter((one) => one.at > this.now);
    for (const timer of due) timer.run();
    for (let i = 0; i < 10; i += 1) await Promise.resolve();
  }
}

describe("a session", () => {
  it("keeps the refresh token in the tab and the access token nowhere but in memory", async () => {
    const rig = new Rig();
    await rig.session.signIn("a@example.org", "right");
    expect(rig.session.state).toMatchObject({ kind: "signed-in" });
    expect([...rig.store.map.values()]).toEqual(["refresh-1"]);
    expect(await rig.session.token()).toBe("access-1");
  });

  it("is taken up after a reload, and honestly ended where that fails", async () => {
    const rig = new Rig("refresh-0");
    await rig.session.restore();
    expect(rig.session.state).toMatchObject({ kind: "signed-in", user: USER });
    const stale = new Rig("refresh-old");
    await stale.session.restore();
    expect(stale.session.state).toEqual({ kind: "signed-out", reason: "The session has ended. Sign in again." });
    expect(stale.store.map.size).toBe(0);
    const none = new Rig();
    await none.session.restore();
    expect(none.session.state).toEqual({ kind: "signed-out", reason: null });
  });

  it("refreshes before the token ends and tells the stream", async () => {
    const rig = new Rig();
    const told: string[] = [];
    rig.session.onToken((token) => told.push(token));
    await rig.session.signIn("a@example.org", "right");
    await rig.pass(719_000);
    expect(rig.refreshes).toBe(0);
    await rig.pass(2_000);
    expect(rig.refreshes).toBe(1);
    expect(told).toEqual(["access-1", "access-2"]);
  });

  it("never uses a refresh token twice, however many ask at once", async () => {
    const rig = new Rig();
    await rig.session.signIn("a@example.org", "right");
    rig.now += 895_000;
    const tokens = await Promise.all([rig.session.token(), rig.session.token(), rig.session.refresh()]);
    expect(tokens).toEqual(["access-2", "access-2", "access-2"]);
    expect(rig.refreshes).toBe(1);
  });

  it("outlives a server that is away for a while", async () => {
    const rig = new Rig();
    await rig.session.signIn("a@example.org", "right");
    rig.down = true;
    await rig.pass(720_000);
    expect(rig.session.state.kind).toBe("signed-in");
    rig.down = false;
    await rig.pass(5_000);
    expect(await rig.session.token()).toBe("access-2");
  });
});

describe("a visit to a provider", () => {
  it("ends signed in by a code, once, and signed out with a reason otherwise", async () => {
    const rig = new Rig();
    await rig.session.restore(returned("#oidc_code=fbo1.good"));
    expect(rig.session.state).toMatchObject({ kind: "signed-in", user: USER });
    expect([...rig.store.map.values()]).toEqual(["refresh-1"]);
    const late = new Rig();
    await late.session.restore(returned("#oidc_code=fbo1.late"));
    expect(late.session.state).toEqual({ kind: "signed-out", reason: "The code has expired." });
    const refused = new Rig();
    await refused.session.restore(returned("#oidc_error=provider_refused"));
    expect(refused.session.state).toEqual({ kind: "signed-out", reason: "The provider did not let you in. Try again." });
  });

  it("leaves who is signed in signed in, whatever came of linking", async () => {
    for (const hash of ["#oidc_linked=staff", "#oidc_error=identity_taken"]) {
      const rig = new Rig("refresh-0");
      await rig.session.restore(returned(hash));
      expect(rig.session.state.kind).toBe("signed-in");
    }
  });

  it("is told from a place of the console", () => {
    for (const hash of ["", "#", "#/devices", "#oidc_code", "#oidc_other=1", "#oidc_error=<b>"]) expect(returned(hash)).toBeNull();
    expect(returned("#oidc_error=new_word")).toMatchObject({ kind: "refused", reason: "Signing in failed. Try again." });
  });

  it("needs no list of providers to show the password's form", async () => {
    expect(await providers(() => Promise.reject(new Problem(0, "unreachable", "down")))).toEqual([]);
  });
});

describe("the client", () => {
  it("tries once more with a fresh token when one was revoked, and then gives the session up", async () => {
    const rig = new Rig();
    await rig.session.signIn("a@example.org", "right");
    const seen: (string | null | undefined)[] = [];
    const api = new Api(rig.session, (call: Call) => {
      seen.push(call.token);
      if (call.token === "access-1") return Promise.reject(new Problem(401, "token_expired", "expired"));
      return Promise.resolve({ data: [] });
    });
    expect(await api.devices()).toEqual([]);
    expect(seen).toEqual(["access-1", "access-2"]);
    const refused = new Api(rig.session, () => Promise.reject(new Problem(401, "invalid_token", "no")));
    await expect(refused.devices()).rejects.toMatchObject({ status: 401 });
    expect(rig.session.state.kind).toBe("signed-out");
  });

  it("sends an idempotency key with a command, each its own", async () => {
    const rig = new Rig();
    await rig.session.signIn("a@example.org", "right");
    const calls: Call[] = [];
    const api = new Api(rig.session, (call) => {
      calls.push(call);
      return Promise.resolve({ data: {} });
    });
    await api.setPowerCap("d/1", 150, null);
    await api.setFanFloor("d/1", null, "fan1");
    expect(calls.map(({ path, body }) => ({ path, body }))).toEqual([
      { path: "/api/v1/devices/d%2F1/power", body: { cap_watts: 150, actuator: null } },
      { path: "/api/v1/devices/d%2F1/thermal", body: { fan_floor: null, actuator: "fan1" } },
    ]);
    expect(new Set(calls.map((call) => call.idempotencyKey)).size).toBe(2);
    expect(calls[0]?.idempotencyKey).toMatch(/^[0-9a-f]{32}$/);
  });

  it("leaves out parameters without a value", () => {
    expect(query("/x", { a: 1, b: null, c: undefined, d: "", e: "y z" })).toBe("/x?a=1&e=y+z");
    expect(query("/x", {})).toBe("/x");
  });
});
