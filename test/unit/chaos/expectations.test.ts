import assert from "node:assert/strict";
import type { ClientReport } from "../../../chaos/checker.ts";
import { judgeRound, judgeRun } from "../../../chaos/expectations.ts";
import { drain } from "../../../chaos/faults/drain.ts";
import { kill } from "../../../chaos/faults/kill.ts";
import { planned } from "../../../chaos/faults/planned.ts";
import { renderReport } from "../../../chaos/render-report.ts";
import type { RoundReport } from "../../../chaos/round-report.ts";

const client: ClientReport = {
  client: "a",
  sent: 10,
  acknowledged: 10,
  unknown: 0,
  open: 0,
  errors: {},
  readErrors: {},
  disconnects: 0,
  ownTimeouts: 0,
  duplicates: [],
  lost: [],
  refusedButExecuted: [],
  reordered: [],
  wrong: [],
};

function round(changed: Partial<ClientReport>, others: Partial<RoundReport> = {}): RoundReport {
  return {
    round: 1,
    fault: "kill",
    failover: true,
    clients: [{ ...client, ...changed }],
    stalls: {
      longestStallMs: { a: 2000 },
      slowestMs: { a: 2000 },
      withoutWritesMs: 2000,
      faultToWriteMs: 2000,
    },
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

  it("allows a refused connection only while the only proxy starts again", () => {
    const refused = round({ errors: { "dial tcp N.N.N.N:N: connect: connection refused": 3 } });
    assert.deepEqual(judgeRound(refused, drain), []);
    assert.equal(judgeRound(refused, kill).length, 1);
    assert.equal(judgeRound(round({ errors: { EOF: 1 } }), drain).length, 1);
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
      faults: ["kill"],
      clients: ["a"],
      planned: 2,
      seconds: 9,
      rounds: [round({ duplicates: ["RPUSH 1"] }, { violations: ["a: executed twice: RPUSH 1"] })],
      violations: ["out of time"],
    });
    assert.match(text, /\| kill \| 1 \| 10 \| 1 \| 0 \|/);
    assert.match(text, /\| a \| 1 \| 10 \| 1 \| 0 \|.*\| 2000 \|/);
    assert.match(text, /- out of time\n- round 1, kill: a: executed twice: RPUSH 1/);
  });
});
