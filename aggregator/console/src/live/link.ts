/**
 * The one WebSocket of the console, and who listens to which topic on it.
 *
 * It opens with a one-time ticket, subscribes again after each reconnect and then tells its
 * listeners so (`resumed`), because what was said in between is lost to them. It parses messages
 * but knows nothing of what a topic means.
 */
import { backoffMs } from "./backoff";
import { parseMessage, topicMatches, type ServerMessage } from "./message";

const PING_EVERY_MS = 20_000;
/** Silence for this long, pings included, means that the other side is gone. */
const SILENCE_MS = 45_000;

export type LinkState =
  | { kind: "off" }
  | { kind: "connecting" }
  | { kind: "open" }
  | { kind: "waiting"; untilMs: number; reason: string };

export type Heard =
  | { kind: "data"; topic: string; data: unknown }
  /** Something was missed: read the history again. */
  | { kind: "missed"; reason: string };

export type Listener = (heard: Heard) => void;

export interface Socket {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
}

export interface LinkWiring {
  ticket(): Promise<string>;
  open(ticket: string): Socket;
  now(): number;
  after(ms: number, run: () => void): () => void;
  random(): number;
}

export class Link {
  #state: LinkState = { kind: "off" };
  #socket: Socket | null = null;
  #attempt = 0;
  #opened = 0;
  #heardAt = 0;
  #nextId = 1;
  #cancel: () => void = () => {};
  #topics = new Map<string, Set<Listener>>();
  #watchers = new Set<(state: LinkState) => void>();
  /** Server clock minus ours. */
  skewMs = 0;

  constructor(private readonly wiring: LinkWiring) {}

  onState(watcher: (state: LinkState) => void): () => void {
    this.#watchers.add(watcher);
    watcher(this.#state);
    return () => this.#watchers.delete(watcher);
  }

  start(): void {
    if (this.#state.kind === "off") void this.#connect();
  }

  stop(): void {
    this.#cancel();
    this.#drop();
    this.#attempt = 0;
    this.#opened = 0;
    this.#enter({ kind: "off" });
  }

  /** Tries at once instead of when the back-off ends. */
  retry(): void {
    if (this.#state.kind !== "waiting") return;
    this.#cancel();
    void this.#connect();
  }

  subscribe(topic: string, listener: Listener): () => void {
    const listeners = this.#topics.get(topic) ?? new Set();
    const first = listeners.size === 0;
    listeners.add(listener);
    this.#topics.set(topic, listeners);
    if (first) this.#say({ type: "subscribe", topics: [topic] });
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#topics.get(topic) !== listeners) return;
      this.#topics.delete(topic);
      this.#say({ type: "unsubscribe", topics: [topic] });
      // Taking back every device takes back the single ones too.
      if (topic.includes("*") && this.#topics.size > 0) this.#say({ type: "subscribe", topics: [...this.#topics.keys()] });
    };
  }

  /** Proves the session again on the open stream. */
  authenticate(token: string): void {
    this.#say({ type: "auth", token });
  }

  async #connect(): Promise<void> {
    this.#enter({ kind: "connecting" });
    let ticket: string;
    try {
      ticket = await this.wiring.ticket();
    } catch (error) {
      if (this.#state.kind === "connecting") this.#wait(error instanceof Error ? error.message : "no ticket");
      return;
    }
    // Stopped, or stopped and started, while the ticket was on its way.
    if (this.#state.kind !== "connecting" || this.#socket !== null) return;
    const socket = this.wiring.open(ticket);
    this.#socket = socket;
    socket.onopen = () => this.#open(socket);
    socket.onmessage = (event) => this.#hear(socket, event.data);
    socket.onclose = (event) => {
      if (this.#socket !== socket) return;
      this.#drop();
      this.#wait(closeReason(event.code, event.reason));
    };
  }

  #open(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#heardAt = this.wiring.now();
    this.#enter({ kind: "open" });
    const topics = [...this.#topics.keys()];
    if (topics.length > 0) this.#say({ type: "subscribe", topics });
    if (this.#opened > 0) this.#tellAll("the stream was away");
    this.#opened += 1;
    this.#watch(socket);
  }

  #watch(socket: Socket): void {
    this.#cancel = this.wiring.after(PING_EVERY_MS, () => {
      if (this.#socket !== socket) return;
      if (this.wiring.now() - this.#heardAt > SILENCE_MS) {
        this.#drop();
        this.#wait("the aggregator went silent");
        return;
      }
      this.#say({ type: "ping" });
      this.#watch(socket);
    });
  }

  #hear(socket: Socket, data: unknown): void {
    if (this.#socket !== socket || typeof data !== "string") return;
    this.#heardAt = this.wiring.now();
    // Only a server that talks proves that the way is clear; a bare accept does not.
    this.#attempt = 0;
    const message = parseMessage(data);
    if (message !== null) this.#take(message);
  }

  #take(message: ServerMessage): void {
    switch (message.type) {
      case "connected":
        if (message.serverTimeMs !== null) this.skewMs = message.serverTimeMs - this.wiring.now();
        break;
      case "snapshot":
      case "delta":
      case "event":
        this.#tell(message.topic, { kind: "data", topic: message.topic, data: message.data });
        break;
      case "gap":
        this.#tell(message.topic, { kind: "missed", reason: message.reason });
        break;
      case "resync_required":
        this.#tell(message.topic, { kind: "missed", reason: "the server asks for a fresh start" });
        break;
      case "result":
        if (!message.ok) console.warn("the stream refused a request:", message.message ?? "no reason given");
        break;
      case "pong":
        break;
    }
  }

  #tell(topic: string, heard: Heard): void {
    for (const [pattern, listeners] of this.#topics) {
      if (topicMatches(pattern, topic)) for (const listener of [...listeners]) listener(heard);
    }
  }

  #tellAll(reason: string): void {
    for (const listeners of this.#topics.values()) for (const listener of [...listeners]) listener({ kind: "missed", reason });
  }

  #say(message: Record<string, unknown>): void {
    if (this.#state.kind === "open") this.#socket?.send(JSON.stringify({ id: this.#nextId++, ...message }));
  }

  #wait(reason: string): void {
    this.#attempt += 1;
    const ms = backoffMs(this.#attempt, this.wiring.random());
    this.#enter({ kind: "waiting", untilMs: this.wiring.now() + ms, reason });
    this.#cancel = this.wiring.after(ms, () => void this.#connect());
  }

  #drop(): void {
    this.#cancel();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #enter(state: LinkState): void {
    this.#state = state;
    for (const watcher of this.#watchers) watcher(state);
  }
}

function closeReason(code: number, reason: string): string {
  if (reason !== "") return reason;
  switch (code) {
    case 4401:
      return "the stream's session ended";
    case 4403:
      return "this account may not listen";
    case 4408:
      return "the sign-in on the stream came too late";
    case 4413:
      return "a message was too large";
    case 4429:
      return "too many requests";
    default:
      return "the connection closed";
  }
}
