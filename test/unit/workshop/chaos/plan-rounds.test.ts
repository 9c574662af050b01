import assert from "node:assert/strict";
import { planRounds } from "../../../../workshop/chaos/plan-rounds.ts";
import { seededRandom } from "../../../../workshop/chaos/seeded-random.ts";

const faults = [
  { name: "kill", failover: true },
  { name: "freeze", failover: true },
  { name: "drain", failover: false },
];
const names = (count: number, seed: number): string[] =>
  planRounds(faults, count, seededRandom(seed)).map(({ name }) => name);

describe("planRounds", () => {
  it("takes every fault in turn, in an order that the seed decides", () => {
    assert.deepEqual(names(20, 7), names(20, 7));
    assert.notDeepEqual(names(20, 7), names(20, 8));
    const plan = names(20, 7);
    for (let i = 0; i + 3 <= plan.length; i += 3) {
      assert.deepEqual(plan.slice(i, i + 3).sort(), ["drain", "freeze", "kill"]);
    }
  });

  it("counts failovers only, or everything where nothing is a failover", () => {
    assert.equal(names(11, 3).filter((name) => name !== "drain").length, 11);
    assert.equal(planRounds([{ failover: false }], 4, seededRandom(1)).length, 4);
  });
});
