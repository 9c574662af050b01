import assert from "node:assert/strict";
import fc from "fast-check";
import { type KeptBackup, planRetention } from "../../../../sentinel-image/backup/plan-retention.ts";

const dayMs = 24 * 3600_000;
const now = 100 * dayMs;

function backup(ageDays: number, state: "verified" | "good" | "bad" = "verified"): KeptBackup {
  return {
    id: `${state}-${ageDays}`,
    createdMs: now - ageDays * dayMs,
    good: state !== "bad",
    verified: state === "verified",
  };
}

describe("which backups may go", () => {
  for (const [what, backups, retention, removed] of [
    ["nothing of nothing", [], { count: 3, days: 0 }, []],
    ["those beyond the count", [backup(1), backup(2), backup(3)], { count: 2, days: 0 }, ["verified-3"]],
    [
      "none that is young enough, whatever the count",
      [backup(1), backup(2), backup(3)],
      { count: 1, days: 7 },
      [],
    ],
    [
      "those beyond both",
      [backup(1), backup(6), backup(8), backup(9)],
      { count: 1, days: 7 },
      ["verified-8", "verified-9"],
    ],
    [
      "none of the count, however old",
      [backup(50), backup(60), backup(70)],
      { count: 2, days: 7 },
      ["verified-70"],
    ],
    [
      "bad ones, which don't count",
      [backup(1, "bad"), backup(2, "bad"), backup(3)],
      { count: 1, days: 0 },
      ["bad-1", "bad-2"],
    ],
    [
      "not the last verified one, behind good ones that nobody has loaded",
      [backup(1, "good"), backup(2, "good"), backup(40)],
      { count: 1, days: 7 },
      [],
    ],
    [
      "the one before the last verified",
      [backup(1, "good"), backup(40), backup(50)],
      { count: 1, days: 7 },
      ["verified-50"],
    ],
    [
      "never the last good one, when all after it failed",
      [backup(1, "bad"), backup(90, "good")],
      { count: 1, days: 0 },
      ["bad-1"],
    ],
    ["as with a count of 1 when it is 0", [backup(1), backup(2)], { count: 0, days: 0 }, ["verified-2"]],
  ] as const)
    it(what, () => {
      assert.deepEqual(planRetention(backups, [], retention, now).remove, removed);
      assert.deepEqual(
        planRetention(backups.toReversed(), [], retention, now).remove,
        removed,
        "in another order",
      );
    });

  it("orphans older than a day, not those of a backup that is being made", () => {
    const orphan = (key: string, ageDays: number) => ({ key, bytes: 1, modifiedMs: now - ageDays * dayMs });
    const { orphans } = planRetention(
      [],
      [orphan("young", 0.9), orphan("old", 1.1), orphan("of tomorrow", -1)],
      { count: 1, days: 0 },
      now,
    );
    assert.deepEqual(orphans, ["old"]);
  });

  it("leaves a good one where there was one, and a verified one where there was one, whatever there is", () => {
    const some = fc.record({
      age: fc.integer({ min: 0, max: 99 }),
      state: fc.constantFrom("verified", "good", "bad"),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(some, { selector: ({ age }) => age }),
        fc.nat(5),
        fc.nat(50),
        (made, count, days) => {
          const backups = made.map(({ age, state }) => backup(age, state as "good"));
          const gone = new Set(planRetention(backups, [], { count, days }, now).remove);
          const left = backups.filter(({ id }) => !gone.has(id));
          const newestGood = backups
            .filter(({ good }) => good)
            .toSorted((a, b) => b.createdMs - a.createdMs)[0];
          assert.ok(newestGood === undefined || left.includes(newestGood));
          assert.equal(
            left.some(({ verified }) => verified),
            backups.some(({ verified }) => verified),
          );
          for (const { id, createdMs } of backups)
            if (now - createdMs <= days * dayMs) assert.ok(!gone.has(id));
          assert.ok(
            left.filter(({ good }) => good).length >=
              Math.min(count, backups.filter(({ good }) => good).length),
          );
        },
      ),
    );
  });
});
