import assert from "node:assert/strict";
import type { ClientReport } from "../../../../workshop/chaos/client-report.ts";
import { brokenPromises } from "../../../../workshop/chaos/stack/judge-round.ts";
import { renderStackReport } from "../../../../workshop/chaos/stack/render-stack-report.ts";
import { contentClient } from "./content-client.ts";

const good: ClientReport = {
  ...contentClient,
  client: "ioredis",
  sent: 100,
  acknowledged: 98,
  unknown: 2,
  errors: { UNCERTAIN: 2 },
  disconnects: 1,
};

function judge(change: Partial<ClientReport>, allowed = ["UNCERTAIN"]): string[] {
  return brokenPromises({ clients: [{ ...good, ...change }] }, allowed);
}

describe("the judgement of a fault in a cluster", () => {
  it("has nothing against errors that the fault allows", () => assert.deepEqual(judge({}), []));

  for (const [what, change, allowed, expected] of [
    ["an error that it doesn't allow", {}, [], "ioredis: 2 × UNCERTAIN"],
    ["a lost write", { lost: ["SET 7"] }, undefined, 'ioredis: 1 acknowledged and lost, such as "SET 7"'],
    ["a repeated write", { duplicates: ["INCR"] }, undefined, 'ioredis: 1 executed twice, such as "INCR"'],
    ["an invented one", { phantom: ["9"] }, undefined, 'ioredis: 1 there and never written, such as "9"'],
    ["a command without an answer", { open: 1 }, undefined, "ioredis: 1 commands never got an answer"],
    ["a client that never wrote", { acknowledged: 0 }, undefined, "ioredis: no command was acknowledged"],
  ] as const) {
    it(`tells ${what}`, () => assert.deepEqual(judge(change, allowed && [...allowed]), [expected]));
  }

  it("is a report with a row for each fault, and everything that was broken or slow", () => {
    const timeline = { fromMs: -500, pieceMs: 50, acknowledged: [] };
    const round = { clients: [good], seconds: 5, timeline, slow: [], violations: [] };
    const text = renderStackReport({
      ...{ seed: 3, namespace: "redis-ha-dev", clients: ["ioredis"], planned: 4, seconds: 20 },
      rounds: [
        { ...round, round: 1, fault: "pod-deleted", gapMs: 400 },
        { ...round, round: 2, fault: "pod-deleted", gapMs: 1200.4, slow: ["1200 ms without a write"] },
        { ...round, round: 3, fault: "all-killed", gapMs: 5000, violations: ["ioredis: 1 lost"] },
      ],
      violations: ["out of time"],
    });
    assert.match(text, /^3 of 4 faults in namespace redis-ha-dev, 20 s, clients ioredis, seed 3\.$/m);
    assert.match(
      text,
      /^\| pod-deleted \| 2 \| 400 \/ 1200 \/ 1200 \| 196 \| 0 \| 0 \| 4 × UNCERTAIN \| 2 \|$/m,
    );
    assert.match(text, /^- out of time\n- round 3, all-killed: ioredis: 1 lost$/m);
    assert.match(text, /^- round 2, pod-deleted: 1200 ms without a write$/m);
  });
});
