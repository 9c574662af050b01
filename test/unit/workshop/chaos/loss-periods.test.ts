import assert from "node:assert/strict";
import { checkLedger } from "../../../../workshop/chaos/checker.ts";
import { asFailover } from "../../../../workshop/chaos/faults/fault.ts";
import { lossPeriods } from "../../../../workshop/chaos/loss-periods.ts";
import { acknowledged, held } from "./histories.ts";

describe("lossPeriods", () => {
  const window = { fromMs: -100, untilMs: 4000 };
  const clients = ["a", "b"];

  it("gives a time in which writes may be lost to those clients that were cut off, and to nobody else", () => {
    const allows = { ...asFailover, cutOff: { ...asFailover, lost: window } };
    assert.deepEqual(
      lossPeriods(allows, new Set(["b"]), 1000, 8000, clients),
      new Map([["b", { beginMs: 900, endMs: 5000, readsUntilMs: 8000 }]]),
    );
  });

  it("gives none where the fault allows none", () => {
    assert.equal(lossPeriods(asFailover, new Set(["b"]), 1000, 8000, clients).size, 0);
  });
});

describe("checkLedger, where some writes may be lost", () => {
  const mayLose = new Map([["a", { beginMs: 100, endMs: 200, readsUntilMs: 300 }]]);
  // They are acknowledged 5 ms after they were sent.
  const early = acknowledged("RPUSH", "early", "1", 94);
  const inside = acknowledged("RPUSH", "inside", "2", 150);
  const late = acknowledged("RPUSH", "late", "3", 196);

  it("reports those that were acknowledged in that time apart, and no others", () => {
    const operations = [early, inside, late];
    const [report] = checkLedger({ operations, disconnects: [] }, held({}), mayLose);
    assert.deepEqual(report?.lost, ["RPUSH early", "RPUSH late"]);
    assert.deepEqual(report?.lostAsAllowed, ["RPUSH inside"]);
  });

  it("excuses none with durability, and still that what was read is undone", () => {
    const operations = [inside, acknowledged("LRANGE", "", "7,8", 150)];
    const [report] = checkLedger({ operations, disconnects: [] }, held({}), mayLose, false);
    assert.deepEqual([report?.lost, report?.lostAsAllowed], [["RPUSH inside"], []]);
    assert.deepEqual(report?.rolledBack, []);
  });

  it("excuses as many increments as were acknowledged then", () => {
    const operations = [1, 2, 3].map((n) => acknowledged("INCR", `i${n}`, String(n), n * 60));
    // Acknowledged at 65, 125 and 185 ms.
    const [report] = checkLedger({ operations, disconnects: [] }, held({ counter: 0 }), mayLose);
    assert.deepEqual([report?.lost, report?.lostAsAllowed], [["INCR"], ["INCR", "INCR"]]);
  });

  it("accepts that what was read then is undone later, and what was read after it isn't", () => {
    const read = (sentMs: number) => acknowledged("LRANGE", "", "7,8", sentMs);
    const rolledBack = (sentMs: number) =>
      checkLedger({ operations: [read(sentMs)], disconnects: [] }, held({}), mayLose)[0]?.rolledBack.length;
    assert.deepEqual([rolledBack(90), rolledBack(290), rolledBack(296)], [1, 0, 1]);
  });

  it("doesn't call a read wrong that missed such a write, and does for any other", () => {
    const set = (id: string, sentMs: number) => acknowledged("SET", id, "OK", sentMs);
    const get = (id: string) => acknowledged("GET", id, "", 300);
    const operations = [set("x", 150), get("x"), set("y", 250), get("y")];
    const data = held({ strings: { y: "y" } });
    const [report] = checkLedger({ operations, disconnects: [] }, data, mayLose);
    assert.deepEqual(report?.wrong, ["GET y gave ''"]);
  });
});
