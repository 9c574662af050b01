import assert from "node:assert/strict";
import { tellTimeline } from "../../../../cli/console/tell-timeline.ts";
import type { FailoverStory } from "../../../../cli/operate/last-failover.ts";

const atMs = Date.parse("2026-11-30T20:00:00.000Z");
const story: FailoverStory = {
  kind: "failure",
  from: "127.0.0.1:1",
  to: "127.0.0.1:2",
  at: new Date(atMs).toISOString(),
  phases: [
    { name: "a Sentinel sees the master down", ms: 0 },
    { name: "all Sentinels do", ms: 400 },
  ],
  pausedMs: undefined,
};
const nameOf = (address: string): string => (address.endsWith("1") ? "one" : "two");

describe("the console's timeline", () => {
  it("puts what was done, what the Sentinels say and what the client saw into one order, from the cause on", () => {
    const timeline = tellTimeline(
      story,
      nameOf,
      [
        { atMs: atMs - 60_000, text: "you killed three" },
        { atMs: atMs - 1000, text: "you cut off one" },
        { atMs: atMs + 900, text: "you restored one" },
      ],
      [
        { fromMs: atMs - 40_000, untilMs: atMs - 30_000 },
        { fromMs: atMs - 990, untilMs: atMs + 350 },
        { fromMs: atMs + 500, untilMs: atMs + 650 },
      ],
    );
    assert.equal(timeline.title, "one → two");
    assert.equal(timeline.pauseMs, 1340);
    assert.deepEqual(
      timeline.entries.map(({ ms, text }) => [ms, text]),
      [
        [0, "you cut off one"],
        [10, "the last write before the pause"],
        [1000, "a Sentinel sees the master down"],
        [1350, "the first write after it"],
        [1400, "all Sentinels do"],
      ],
    );
  });

  it("begins with whatever was first: the last write may have come before the cause", () => {
    const { entries } = tellTimeline(
      story,
      nameOf,
      [{ atMs: atMs - 1000, text: "you killed one" }],
      [{ fromMs: atMs - 1020, untilMs: atMs + 350 }],
    );
    assert.deepEqual(
      entries.slice(0, 2).map(({ ms, text }) => [ms, text]),
      [
        [0, "the last write before the pause"],
        [20, "you killed one"],
      ],
    );
  });

  it("tells the Sentinels' story alone when nothing else is known", () => {
    const { entries, pauseMs, at } = tellTimeline(story, nameOf, [], []);
    assert.deepEqual([entries.length, pauseMs, at], [2, undefined, story.at]);
  });
});
