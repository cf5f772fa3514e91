import { describe, expect, it } from "vitest";
import type { PluginPackage } from "../src/api/types";
import { byPlugin, grantsOf, isOpen, usageWords, wantWords } from "../src/format/plugins";

const USAGE = { calls: 0, done: 0, refused: 0, limited: 0, trapped: 0, failed: 0, total_ms: 0, longest_ms: 0 };

describe("plugins", () => {
  it("say how they were used, and what went wrong", () => {
    expect(usageWords(USAGE)).toBe("not called yet");
    expect(usageWords({ ...USAGE, calls: 1, done: 1, total_ms: 4 })).toBe("1 call, 4 ms each");
    expect(usageWords({ ...USAGE, calls: 4, done: 1, refused: 2, trapped: 1, total_ms: 10 })).toBe("4 calls, 3 ms each, 2 refused, 1 broke");
  });

  it("say what they want in words", () => {
    expect(wantWords("http:feeds.example.org:443")).toBe("requests over HTTP at feeds.example.org:443");
    expect(wantWords("mqtt:*")).toBe("messages of an MQTT broker at hosts that you name");
    expect(isOpen("http:*")).toBe(true);
    expect(isOpen("http:example.org")).toBe(false);
  });

  it("are granted what was ticked and typed, each once", () => {
    expect(grantsOf(["http:a"], " http:b:80, http:a\nmqtt:c:1883 ")).toEqual(["http:a", "http:b:80", "mqtt:c:1883"]);
    expect(grantsOf([], "")).toEqual([]);
  });

  it("stand together by their id, what nobody has described last", () => {
    const one = (hash: string, plugin_id: string | null) => ({ hash, plugin_id }) as PluginPackage;
    const groups = byPlugin([one("1", null), one("2", "b"), one("3", "a"), one("4", "b")]);
    expect(groups.map(([id, list]) => [id, list.map((each) => each.hash)])).toEqual([
      ["a", ["3"]],
      ["b", ["2", "4"]],
      [null, ["1"]],
    ]);
  });
});
