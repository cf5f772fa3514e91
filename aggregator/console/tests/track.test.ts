import { describe, expect, it } from "vitest";
import type { Series } from "../src/api/types";
import { columns, nearest } from "../src/chart/columns";
import { gapLines, holes, reasonSentence } from "../src/chart/gaps";
import { addGap, addPoint, addValue, latest, newTrack, prune, type Track } from "../src/chart/track";
import { Tracks } from "../src/chart/tracks";

function series(id: string, more: Partial<Series> = {}): Series {
  return { id, metric: "hw.temperature", reading_type: "TEMPERATURE", unit: "Cel", attributes: {}, cadence_ms: 1000, ...more };
}

function track(values: [number, number][] = []): Track {
  const one = newTrack(series("t"));
  for (const [t, value] of values) addValue(one, t, value);
  return one;
}

describe("a track", () => {
  it("has one value a tick, in order, whatever order they came in", () => {
    const ticks: [number, number][] = [
      [1000, 1],
      [2000, 2],
      [3000, 3],
      [4000, 4],
    ];
    for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1, 2, 0], [1, 1, 3, 0, 2]]) {
      const one = track(order.map((index) => ticks[index] as [number, number]));
      expect(one.times).toEqual([1000, 2000, 3000, 4000]);
      expect(one.values).toEqual([1, 2, 3, 4]);
    }
  });

  it("joins ticks without a value to one gap for as long as the reason stays", () => {
    const one = track();
    for (const [t, no_data] of [[1000, "fault"], [2000, "fault"], [3000, "stale"], [5000, "stale"]] as const) {
      addPoint(one, { series: "t", t, v: null, no_data });
    }
    expect(one.gaps).toEqual([
      { from_ms: 1000, to_ms: 2000, reason: "fault" },
      { from_ms: 3000, to_ms: 3000, reason: "stale" },
      { from_ms: 5000, to_ms: 5000, reason: "stale" },
    ]);
  });

  it("takes a gap of the backlog into its place and joins what touches", () => {
    const one = track();
    addGap(one, { from_ms: 9000, to_ms: 9000, reason: "fault" });
    addGap(one, { from_ms: 1000, to_ms: 3000, reason: "not_running" });
    addGap(one, { from_ms: 4000, to_ms: 6000, reason: "not_running" });
    addGap(one, { from_ms: 1000, to_ms: 3000, reason: "not_running" });
    expect(one.gaps).toEqual([
      { from_ms: 1000, to_ms: 6000, reason: "not_running" },
      { from_ms: 9000, to_ms: 9000, reason: "fault" },
    ]);
  });

  it("says of its newest tick the value or why there is none", () => {
    const one = track();
    expect(latest(one)).toBeNull();
    addValue(one, 1000, 20);
    expect(latest(one)).toEqual({ t: 1000, value: 20, reason: null });
    addPoint(one, { series: "t", t: 2000, v: null, no_data: "denied" });
    expect(latest(one)).toEqual({ t: 2000, value: null, reason: "denied" });
  });

  it("forgets what left the window and keeps a gap that reaches into it", () => {
    const one = track([[1000, 1], [2000, 2], [3000, 3]]);
    addGap(one, { from_ms: 500, to_ms: 900, reason: "busy" });
    addGap(one, { from_ms: 1500, to_ms: 2500, reason: "fault" });
    prune(one, 2000);
    expect(one.times).toEqual([2000, 3000]);
    expect(one.gaps).toEqual([{ from_ms: 1500, to_ms: 2500, reason: "fault" }]);
  });
});

describe("columns", () => {
  it("break the line where ticks are missing and nowhere else", () => {
    const { times, values } = columns([track([[1000, 1], [2000, 2], [6000, 6], [7000, 7]])]);
    expect(times).toEqual([1000, 2000, 3000, 6000, 7000]);
    expect(values).toEqual([[1, 2, null, 6, 7]]);
  });

  it("don't break a slow series at a fast one's ticks", () => {
    const slow = newTrack(series("slow", { cadence_ms: 2000 }));
    addValue(slow, 1000, 10);
    addValue(slow, 3000, 30);
    const { times, values } = columns([track([[1000, 1], [2000, 2], [3000, 3]]), slow]);
    expect(times).toEqual([1000, 2000, 3000]);
    expect(values).toEqual([
      [1, 2, 3],
      [10, undefined, 30],
    ]);
  });

  it("find the nearest tick", () => {
    expect(nearest([], 5)).toBeNull();
    for (const [t, index] of [[-5, 0], [1400, 0], [1600, 1], [9000, 2]] as const) expect(nearest([1000, 2000, 3000], t)).toBe(index);
  });
});

describe("gap lines", () => {
  it("tell a span once and how many series lack it", () => {
    const [a, b] = [track(), track()];
    addGap(a, { from_ms: 1000, to_ms: 2000, reason: "not_running" });
    addGap(b, { from_ms: 1000, to_ms: 2000, reason: "not_running" });
    addGap(b, { from_ms: 5000, to_ms: 5000, reason: "fault" });
    expect(gapLines([a, b], 0).map(({ from_ms, tracks, all }) => ({ from_ms, tracks, all }))).toEqual([
      { from_ms: 5000, tracks: 1, all: false },
      { from_ms: 1000, tracks: 2, all: true },
    ]);
    expect(gapLines([a, b], 3000)).toHaveLength(1);
  });

  it("say of a hole that nothing explains that nothing has come, until a gap explains it", () => {
    const one = track([[1000, 1], [2000, 2], [9000, 9]]);
    addGap(one, { from_ms: 8000, to_ms: 8000, reason: "no_history" });
    expect(holes(one)).toEqual([{ from_ms: 3000, to_ms: 8000, reason: "not_received" }]);
    expect(gapLines([one], 0).map((line) => line.reason)).toEqual(["no_history", "not_received"]);
    addGap(one, { from_ms: 3000, to_ms: 7000, reason: "not_running" });
    expect(holes(one)).toEqual([]);
  });

  it("have a sentence for each reason, and for one that is not known yet its own word", () => {
    expect(reasonSentence("not_running")).toBe("the reading process was not running");
    expect(reasonSentence("brand_new")).toBe("brand new");
  });
});

describe("the tracks of a device", () => {
  it("are the same whether the stream or the history comes first", () => {
    const readings = [{ series: series("a"), points: [[1000, 1], [2000, 2], [4000, null]] as [number, number | null][], gaps: [{ from_ms: 3000, to_ms: 3000, reason: "busy" }] }];
    const live = [
      { series: "a", t: 2000, v: 2 },
      { series: "a", t: 3000, v: null, no_data: "busy" },
      { series: "a", t: 5000, v: 5 },
    ];
    const known = new Set(["a", "undrawn"]);
    const one = new Tracks([series("a")]);
    one.addHistory(readings);
    one.addLive(live, known);
    const other = new Tracks([series("a")]);
    other.addLive(live, known);
    other.addHistory(readings);
    expect(one.of("a")).toEqual(other.of("a"));
    expect(one.of("a")?.times).toEqual([1000, 2000, 5000]);
    expect(one.newestMs).toBe(5000);
  });

  it("notice a series that the inventory does not have", () => {
    const tracks = new Tracks([series("a")]);
    const known = new Set(["a", "undrawn"]);
    expect(tracks.addLive([{ series: "undrawn", t: 1, v: 1 }], known)).toBe(false);
    expect(tracks.addLive([{ series: "new", t: 1, v: 1 }], known)).toBe(true);
  });
});
