import { describe, expect, it } from "vitest";
import { backoffMs } from "../src/live/backoff";
import { Link, type Heard, type LinkState, type Socket } from "../src/live/link";
import { parseMessage, readingPoints, topicMatches } from "../src/live/message";

/** A stream whose server, clock and timers the test holds. */
class Rig {
  now = 1_000_000;
  timers: { at: number; run: () => void }[] = [];
  sockets: (Socket & { sent: Record<string, unknown>[]; ticket: string; closed: boolean })[] = [];
  tickets = 0;
  ticketFails = false;
  state: LinkState = { kind: "off" };
  link = new Link({
    ticket: () => {
      this.tickets += 1;
      return this.ticketFails ? Promise.reject(new Error("no way")) : Promise.resolve(`ticket-${this.tickets}`);
    },
    open: (ticket) => {
      const sent: Record<string, unknown>[] = [];
      const socket = {
        ticket,
        sent,
        closed: false,
        send: (text: string) => void sent.push(JSON.parse(text) as Record<string, unknown>),
        close() {
          this.closed = true;
        },
        onopen: null,
        onmessage: null,
        onclose: null,
      };
      this.sockets.push(socket);
      return socket;
    },
    now: () => this.now,
    after: (ms, run) => {
      const timer = { at: this.now + ms, run };
      this.timers.push(timer);
      return () => void (this.timers = this.timers.filter((one) => one !== timer));
    },
    random: () => 0.5,
  });

  constructor() {
    this.link.onState((state) => (this.state = state));
  }

  get socket() {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 5; i += 1) await Promise.resolve();
  }

  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      const next = this.timers.filter((one) => one.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((one) => one !== next);
      this.now = next.at;
      next.run();
      await this.settle();
    }
    this.now = until;
  }

  async open(): Promise<void> {
    this.link.start();
    await this.settle();
    this.socket.onopen?.();
  }

  say(message: unknown): void {
    this.socket.onmessage?.({ data: JSON.stringify(message) });
  }
}

describe("the link", () => {
  it("opens with a fresh ticket and asks for what was subscribed before", async () => {
    const rig = new Rig();
    rig.link.subscribe("events", () => {});
    await rig.open();
    expect(rig.socket.ticket).toBe("ticket-1");
    expect(rig.socket.sent).toEqual([{ id: 1, type: "subscribe", topics: ["events"] }]);
    expect(rig.state.kind).toBe("open");
  });

  it("comes back with another ticket, subscribes again and says that something was missed", async () => {
    const rig = new Rig();
    const heard: Heard[] = [];
    rig.link.subscribe("readings:1", (one) => heard.push(one));
    await rig.open();
    rig.socket.onclose?.({ code: 1006, reason: "" });
    expect(rig.state).toMatchObject({ kind: "waiting", reason: "the connection closed" });
    await rig.pass(20_000);
    expect(rig.sockets).toHaveLength(2);
    rig.socket.onopen?.();
    expect(rig.socket.ticket).toBe("ticket-2");
    expect(rig.socket.sent[0]).toMatchObject({ type: "subscribe", topics: ["readings:1"] });
    expect(heard).toEqual([{ kind: "missed", reason: "the stream was away" }]);
  });

  it("waits longer after each failure, never for ever, and starts anew when a server talks", async () => {
    const rig = new Rig();
    rig.ticketFails = true;
    rig.link.start();
    await rig.settle();
    const waits: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      if (rig.state.kind !== "waiting") throw new Error(rig.state.kind);
      waits.push(rig.state.untilMs - rig.now);
      await rig.pass(rig.state.untilMs - rig.now);
    }
    expect(waits).toEqual([375, 750, 1500, 3000, 6000, 12_000, 15_000, 15_000, 15_000]);
    rig.ticketFails = false;
    await rig.pass(15_000);
    rig.socket.onopen?.();
    rig.say({ type: "connected", data: { server_time: "1970-01-01T00:00:00Z" } });
    rig.socket.onclose?.({ code: 4401, reason: "" });
    if (rig.state.kind !== "waiting") throw new Error(rig.state.kind);
    expect(rig.state.untilMs - rig.now).toBe(375);
    expect(rig.state.reason).toBe("the stream's session ended");
  });

  it("gives up on a server that accepts and then says nothing", async () => {
    const rig = new Rig();
    await rig.open();
    await rig.pass(70_000);
    expect(rig.sockets[0]?.closed).toBe(true);
    expect(rig.sockets[0]?.sent.filter((message) => message["type"] === "ping").length).toBeGreaterThan(0);
    expect(rig.sockets.length).toBeGreaterThan(1);
  });

  it("asks the server to stop when the last listener of a topic leaves", async () => {
    const rig = new Rig();
    await rig.open();
    const first = rig.link.subscribe("events", () => {});
    const second = rig.link.subscribe("events", () => {});
    first();
    second();
    expect(rig.socket.sent.map((message) => message["type"])).toEqual(["subscribe", "unsubscribe"]);
  });

  it("keeps a single device when the subscription to every device is taken back", async () => {
    const rig = new Rig();
    await rig.open();
    const all = rig.link.subscribe("readings:*", () => {});
    rig.link.subscribe("readings:1", () => {});
    all();
    expect(rig.socket.sent.slice(2).map(({ type, topics }) => [type, topics])).toEqual([
      ["unsubscribe", ["readings:*"]],
      ["subscribe", ["readings:1"]],
    ]);
  });

  it("hands what comes to those whose topic carries it", async () => {
    const rig = new Rig();
    const heard: string[] = [];
    rig.link.subscribe("readings:*", () => heard.push("all"));
    rig.link.subscribe("readings:1", () => heard.push("one"));
    rig.link.subscribe("events", () => heard.push("events"));
    await rig.open();
    rig.say({ type: "delta", topic: "readings:1", seq: 1, data: {} });
    rig.say({ type: "delta", topic: "readings:2", seq: 2, data: {} });
    rig.say({ type: "gap", topic: "events", dropped: 3, reason: "slow" });
    expect(heard).toEqual(["all", "one", "all", "events"]);
  });

  it("stays silent after it was stopped, even where a ticket was on its way", async () => {
    const rig = new Rig();
    rig.link.start();
    rig.link.stop();
    await rig.settle();
    await rig.pass(60_000);
    expect(rig.sockets).toHaveLength(0);
    expect(rig.state.kind).toBe("off");
  });

  it("knows how far the server's clock is off", async () => {
    const rig = new Rig();
    await rig.open();
    rig.say({ type: "connected", data: { server_time: new Date(rig.now + 5000).toISOString() } });
    expect(rig.link.skewMs).toBe(5000);
  });
});

describe("messages", () => {
  it("that are none are dropped", () => {
    for (const text of ["", "{", "null", "3", '{"type":"unheard"}']) expect(parseMessage(text)).toBeNull();
  });

  it("keep the points that are well formed", () => {
    const points = [{ series: "a", t: 1, v: 2 }, { series: "a", t: 2, v: null, no_data: "busy" }, { series: 3, t: 1, v: 1 }, { series: "a", v: 1 }, null];
    expect(readingPoints({ device_id: "d", points })).toEqual(points.slice(0, 2));
    expect(readingPoints(null)).toEqual([]);
  });

  it("match a topic part by part", () => {
    for (const [pattern, topic, matches] of [
      ["events", "events", true],
      ["device:*:state", "device:1:state", true],
      ["device:*:state", "device:1", false],
      ["readings:*", "readings:1", true],
      ["readings:1", "readings:2", false],
    ] as const) {
      expect(topicMatches(pattern, topic), `${pattern} ${topic}`).toBe(matches);
    }
  });
});

describe("the back-off", () => {
  it("stays between half and the whole of its step", () => {
    expect(backoffMs(1, 0)).toBe(250);
    expect(backoffMs(1, 0.999)).toBeLessThanOrEqual(500);
    expect(backoffMs(1000, 0.999)).toBeLessThanOrEqual(20_000);
  });
});
