import assert from "node:assert/strict";
import type { ClientReport } from "../../../../workshop/chaos/client-report.ts";
import { judgeRound, judgeRun, judgeTimes } from "../../../../workshop/chaos/expectations.ts";
import { proxyKilled } from "../../../../workshop/chaos/faults/blocked.ts";
import { drain } from "../../../../workshop/chaos/faults/drain.ts";
import { isolatedWithProxy } from "../../../../workshop/chaos/faults/isolated.ts";
import { kill } from "../../../../workshop/chaos/faults/kill.ts";
import { sentinelCut } from "../../../../workshop/chaos/faults/partial-cuts.ts";
import { planned } from "../../../../workshop/chaos/faults/planned.ts";
import { renderReport } from "../../../../workshop/chaos/render-report.ts";
import type { RoundReport } from "../../../../workshop/chaos/round-report.ts";
import { contentClient as client } from "./content-client.ts";

function round(changed: Partial<ClientReport>, others: Partial<RoundReport> = {}): RoundReport {
  return {
    round: 1,
    fault: "kill",
    failover: true,
    falseFailover: false,
    gapMs: 2000,
    gapBoundMs: 3000,
    timeline: { fromMs: -500, pieceMs: 50, acknowledged: [] },
    events: [],
    cutOff: [],
    broken: [],
    clients: [{ ...client, ...changed }],
    stalls: {
      longestStallMs: { a: 2000 },
      slowestMs: { a: 2000 },
      writeGapMs: { a: 2000 },
      withoutWritesMs: 2000,
      faultToWriteMs: 2000,
    },
    registers: { checked: 0, violated: [], violatedAroundFault: [] },
    announcedAfterMs: 1900,
    announcedBy: "+promoted-slave",
    announcementToAcceptMs: 80,
    announcementToWriteMs: 90,
    staleWrites: [],
    lateWrites: 0,
    failures: [],
    duplicateTraces: [],
    disconnects: [],
    violations: [],
    slow: [],
    ...others,
  };
}

describe("judgeRound", () => {
  it("accepts a failover in which some writes are uncertain", () => {
    assert.deepEqual(judgeRound(round({ errors: { UNCERTAIN: 3 }, unknown: 3 }), kill), []);
  });

  const broken: Record<string, Partial<ClientReport>> = {
    "an execution too many": { duplicates: ["RPUSH 1"] },
    "a lost write": { lost: ["SET 1"] },
    "a refused write that was executed": { refusedButExecuted: ["SET 1"] },
    "a wrong order": { reordered: [{ earlier: "RPUSH 2", later: "RPUSH 1" }] },
    "an element that nobody wrote": { phantom: ["RPUSH ?"] },
    "a read that is undone": { rolledBack: ["LRANGE gave 7 at place 3, where nothing is"] },
    "a wrong value": { wrong: ["GET 1 gave ''"] },
    "a command without an answer": { open: 1 },
    "a disconnect": { disconnects: 1 },
    "another error than UNCERTAIN": { errors: { LOADING: 1 } },
    "an uncertain read": { errors: { UNCERTAIN: 1 }, readErrors: { UNCERTAIN: 1 } },
    "a client that got nothing": { acknowledged: 0 },
  };
  for (const [name, changed] of Object.entries(broken)) {
    it(`doesn't accept ${name}`, () => assert.equal(judgeRound(round(changed), kill).length, 1));
  }

  it("accepts that a client's own patience ends", () => {
    assert.deepEqual(judgeRound(round({ ownTimeouts: 8 }), kill), []);
  });

  it("doesn't accept a stale write, nor a failover without writes", () => {
    assert.equal(judgeRound(round({}, { staleWrites: ["a SET 1"] }), kill).length, 1);
    assert.equal(judgeRound(round({}, { announcementToWriteMs: undefined }), kill).length, 1);
  });

  it("allows no error in a planned failover, and disconnects only in a drain", () => {
    const uncertain = round({ errors: { UNCERTAIN: 1 } });
    assert.equal(judgeRound(uncertain, planned).length, 1);
    assert.equal(judgeRound(uncertain, drain).length, 1);
    assert.deepEqual(judgeRound(round({ disconnects: 2 }), drain), []);
  });

  it("allows with durability that any write is uncertain, no read, and never that an acknowledged one is lost", () => {
    assert.deepEqual(judgeRound(round({ errors: { UNCERTAIN: 1 } }), planned, "sync"), []);
    const reads = round({ errors: { UNCERTAIN: 1 }, readErrors: { UNCERTAIN: 1 } });
    assert.equal(judgeRound(reads, planned, "sync").length, 1);
    assert.equal(judgeRound(round({ lost: ["SET 1"] }), isolatedWithProxy, "sync").length, 1);
  });

  it("judges clients whose proxy was cut off or killed apart, and the others as always", () => {
    const seen: Partial<ClientReport> = { disconnects: 1, duplicates: ["RPUSH 1"] };
    assert.deepEqual(judgeRound(round(seen, { cutOff: ["a"] }), proxyKilled), []);
    assert.equal(judgeRound(round(seen, { cutOff: ["another"] }), proxyKilled).length, 2);
    assert.equal(judgeRound(round({ lost: ["SET 1"] }, { cutOff: ["a"] }), isolatedWithProxy).length, 1);
    const told = round({ errors: { "Connection reset": 1, EOF: 1 } }, { cutOff: ["a"] });
    assert.deepEqual(judgeRound(told, proxyKilled), []);
    assert.equal(judgeRound(told, isolatedWithProxy).length, 2);
  });

  it("doesn't accept a register without an order in calm times, and does around the fault", () => {
    const registers = { checked: 2, violated: [] as string[], violatedAroundFault: ["7.0"] };
    assert.deepEqual(judgeRound(round({}, { registers }), kill), []);
    assert.equal(judgeRound(round({}, { registers: { ...registers, violated: ["9.1"] } }), kill).length, 1);
  });

  it("accepts what a fault itself found wrong as little as a failover for no reason", () => {
    assert.deepEqual(judgeRound(round({}, { broken: ["a fourth Sentinel"] }), kill), ["a fourth Sentinel"]);
    assert.equal(judgeRound(round({}, { falseFailover: true }), sentinelCut).length, 1);
  });

  it("allows a refused connection only while the only proxy starts again", () => {
    const refused = round({ errors: { "dial tcp N.N.N.N:N: connect: connection refused": 3 } });
    assert.deepEqual(judgeRound(refused, drain), []);
    assert.equal(judgeRound(refused, kill).length, 1);
    assert.equal(judgeRound(round({ errors: { EOF: 1 } }), drain).length, 1);
  });
});

describe("judgeTimes", () => {
  it("bounds the time without writes by the fault", () => {
    assert.deepEqual(judgeTimes({ gapMs: 3000 }, kill), []);
    assert.match(judgeTimes({ gapMs: 3001 }, kill).join(), /3001 ms .* 3000 ms/);
    assert.equal(judgeTimes({ gapMs: undefined }, kill).length, 1);
  });
});

describe("judgeRun", () => {
  it("bounds what the proxy adds before the first write, not what Redis itself needs", () => {
    const rounds = (...delays: number[]): RoundReport[] =>
      delays.map((ms) => round({}, { announcementToAcceptMs: 500, announcementToWriteMs: 500 + ms }));
    assert.deepEqual(judgeRun(rounds(10, 12, 90)), []);
    assert.match(judgeRun(rounds(10, 16, 20)).join(), /p50 is 16\.0 ms/);
    assert.match(judgeRun(rounds(10, 10, 101)).join(), /p99 is 101\.0 ms/);
  });
});

describe("renderReport", () => {
  it("shows counts by fault and by client, and every broken expectation", () => {
    const text = renderReport({
      seed: 1,
      durability: "async" as const,
      faults: ["kill"],
      clients: ["a"],
      planned: 2,
      seconds: 9,
      rounds: [round({ duplicates: ["RPUSH 1"] }, { violations: ["a: executed twice: RPUSH 1"] })],
      violations: ["out of time"],
      slow: [],
    });
    // Rounds, commands, lost, lost as expected, executed twice.
    assert.match(text, /^\| kill \| 1 \| 10 \| 0 \| 0 \| 1 \| 0 \|/m);
    assert.match(text, /^\| a \| 1 \| 10 \| 0 \| 0 \| 1 \| 0 \|/m);
    assert.match(text, /^\| kill \| 1 \| 2000 \/ 2000 \/ 2000 \| 3000 \|/m);
    assert.match(text, /^\| 1\.5 to 2 s \| 1 █+ \|$/m);
    assert.match(text, /- out of time\n- round 1, kill: a: executed twice: RPUSH 1/);
  });
});
