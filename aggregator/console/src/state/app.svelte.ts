/** The session, the API and the stream, made once for the page and wired to each other. */
import { Api } from "../api/client";
import { send } from "../api/http";
import { Session, type SessionState } from "../api/session";
import { Link, type LinkState, type Socket } from "../live/link";

function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

export const session = new Session({
  post: (path, body, token) => send({ method: "POST", path, body, token, cookies: path.startsWith("/api/v1/auth/oidc/") }),
  get: (path, token) => send({ method: "GET", path, token }),
  store: sessionStorage,
  keep: localStorage,
  now: Date.now,
  after,
});

export const api = new Api(session, send);

export const link = new Link({
  ticket: () => api.ticket(),
  open: (ticket) => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    return new WebSocket(`${scheme}://${location.host}/ws?ticket=${encodeURIComponent(ticket)}`) as unknown as Socket;
  },
  now: Date.now,
  after,
  random: Math.random,
});

class AppState {
  session = $state<SessionState>({ kind: "restoring" });
  link = $state<LinkState>({ kind: "off" });
  /** Ticks once a second; everything that shows "… ago" hangs on it. */
  now = $state(Date.now());
}

export const app = new AppState();

/** The aggregator's clock, as far as the stream told it. */
export function serverNow(): number {
  return app.now + link.skewMs;
}

session.onState((state) => {
  app.session = state;
  if (state.kind === "signed-in") link.start();
  else link.stop();
});
session.onToken((token) => link.authenticate(token));
link.onState((state) => (app.link = state));
setInterval(() => (app.now = Date.now()), 1000);
// A laptop that wakes, or a network that returns, should not sit out a back-off.
addEventListener("online", () => link.retry());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") {
    app.now = Date.now();
    link.retry();
  }
});
