import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { countGaps } from "../../../../workshop/chaos/gap-histogram.ts";
import {
  pastLocalRun,
  pastStackRun,
  readPastRuns,
  remember,
  renderPastRuns,
} from "../../../../workshop/chaos/past-runs.ts";
import { renderAvailability } from "../../../../workshop/chaos/render-availability.ts";
import { countOverTime } from "../../../../workshop/chaos/timeline.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";
import { contentClient } from "./content-client.ts";
import { acknowledged, failed, uncertain } from "./histories.ts";

describe("countGaps", () => {
  it("puts each gap in one class, and tells what never came back", () => {
    assert.deepEqual(countGaps([50, 100, 101, 2000, undefined]), [
      { name: "0 to 0.1 s", count: 2 },
      { name: "0.1 to 0.5 s", count: 1 },
      { name: "0.5 to 1 s", count: 0 },
      { name: "1 to 1.5 s", count: 0 },
      { name: "1.5 to 2 s", count: 1 },
      { name: "no write came through any more", count: 1 },
    ]);
    assert.deepEqual(countGaps([99_999]).at(-1), { name: "more than 20 s", count: 1 });
  });
});

describe("countOverTime", () => {
  it("counts acknowledged writes by when they were acknowledged, and nothing else", () => {
    const operations = [
      // Each ends 5 ms after it was sent; the fault is at 1000.
      acknowledged("SET", "a", "OK", 496),
      acknowledged("RPUSH", "b", "1", 1000),
      acknowledged("GET", "a", "a", 1000),
      failed("SET", "c", uncertain, 1000),
      acknowledged("SET", "too early", "OK", 400),
    ];
    const { acknowledged: counts, fromMs } = countOverTime(operations, 1000);
    assert.equal(fromMs, -500);
    assert.deepEqual(counts, [1, ...Array(9).fill(0), 1]);
  });
});

describe("renderAvailability", () => {
  it("draws a bar for each time with writes, and none where there are none", () => {
    const timeline = { fromMs: -500, pieceMs: 50, acknowledged: [3, 2, 0, 0, 1] };
    const picture = renderAvailability({ rounds: [{ fault: "kill", timeline }], seed: 7 });
    assert.equal(picture.match(/class="ok"/g)?.length, 2);
    // 5 pieces of 50 ms of the 12.5 s that are shown on 900: what comes later isn't a time without writes.
    assert.match(picture, /width="18\.0" height="5" class="none"/);
    assert.match(picture, /^<svg .*kill.*<\/svg>\n$/s);
  });
});

describe("past runs", () => {
  const directory = temporaryDirectory();
  after(() => directory.remove());

  it("of a stack are told by their namespace, with what was lost and broken", () => {
    const timeline = { fromMs: -500, pieceMs: 50, acknowledged: [1] };
    const round = { fault: "pod-deleted", seconds: 5, timeline, slow: [], violations: [] };
    const clients = [{ ...contentClient, sent: 10, lost: ["SET 7"] }];
    const run = pastStackRun(
      {
        ...{ seed: 3, namespace: "redis-ha-dev", clients: ["a"], planned: 3, seconds: 20, violations: [] },
        rounds: [
          { ...round, round: 1, clients, gapMs: 400, violations: ["1 lost"] },
          { ...round, round: 2, clients: [contentClient], gapMs: 600 },
        ],
      },
      new Date(0),
    );
    assert.deepEqual([run.lost, run.broken, run.gapMaxMs, run.faults], [1, 1, 600, ["pod-deleted"]]);
    assert.match(renderPastRuns([run]), /00:00:00 +redis-ha-dev +3 +– +2\/3 +– /);
  });

  it("are kept in the order in which they ended, and a line that was cut short hides none", () => {
    const file = join(directory.path, "deep", "history.jsonl");
    assert.deepEqual(readPastRuns(file), []);
    const report = {
      faults: ["kill"],
      clients: ["a"],
      planned: 2,
      seconds: 9,
      rounds: [],
      violations: ["x"],
      slow: [],
    };
    remember(file, pastLocalRun({ ...report, seed: 1, durability: "async" }, new Date(0)));
    appendFileSync(file, '{"at":"19\n');
    remember(file, pastLocalRun({ ...report, seed: 2, durability: "sync" }, new Date(1000)));
    const runs = readPastRuns(file);
    assert.deepEqual(
      runs.map(({ seed, broken }) => [seed, broken]),
      [
        [1, 1],
        [2, 1],
      ],
    );
    assert.match(renderPastRuns(runs), /1970-01-01 00:00:01 +local +2 +sync +0\/2/);
  });
});
