import assert from "node:assert/strict";
import fc from "fast-check";
import { checkLedger } from "../../../../workshop/chaos/checker.ts";
import type { ClientReport } from "../../../../workshop/chaos/client-report.ts";
import type { FinalData, Operation } from "../../../../workshop/chaos/history.ts";
import { acknowledged, failed, held, loading, operation, uncertain } from "./histories.ts";

function check(operations: readonly Operation[], data: FinalData): ClientReport {
  const [report] = checkLedger({ operations, disconnects: [] }, data);
  assert.ok(report);
  return report;
}

const findings = [
  ...([
    "duplicates",
    "lost",
    "lostAsAllowed",
    "refusedButExecuted",
    "reordered",
    "phantom",
    "rolledBack",
  ] as const),
  "wrong",
] as const;

function assertOnly(report: ClientReport, expected: Partial<ClientReport>): void {
  for (const name of findings) assert.deepEqual(report[name], expected[name] ?? [], name);
}

/** Ten pushes, one after the other. */
const pushes = Array.from({ length: 10 }, (_, i) => acknowledged("RPUSH", String(i), String(i + 1), i * 10));
const ids = pushes.map(({ id }) => id);
/** Ten increments, one after the other. */
const increments = Array.from({ length: 10 }, (_, i) => acknowledged("INCR", `i${i}`, String(i + 1), i * 10));

describe("checkLedger", () => {
  it("finds nothing wrong with books that agree", () => {
    const operations = [
      ...pushes,
      ...increments,
      acknowledged("SET", "s", "OK", 0),
      acknowledged("GET", "s", "s", 10),
    ];
    const report = check(operations, held({ counter: 10, list: ids, strings: { s: "s" } }));
    assertOnly(report, {});
    assert.deepEqual([report.sent, report.acknowledged, report.unknown], [22, 22, 0]);
  });

  it("finds an element that was pushed twice, wherever the second one is", () => {
    assertOnly(check(pushes, held({ list: [...ids, "3"] })), { duplicates: ["RPUSH 3"] });
    assertOnly(check(pushes, held({ list: ["0", "0", ...ids.slice(1)] })), { duplicates: ["RPUSH 0"] });
  });

  it("finds an unknown push that was executed twice", () => {
    const operations = [failed("RPUSH", "x", uncertain, 0)];
    assertOnly(check(operations, held({ list: ["x"] })), {});
    assertOnly(check(operations, held({ list: ["x", "x"] })), { duplicates: ["RPUSH x"] });
  });

  it("finds a counter that is higher than all increments together", () => {
    assertOnly(check(increments, held({ counter: 12 })), { duplicates: ["INCR", "INCR"] });
  });

  it("allows an unknown increment to have happened once, or not", () => {
    const operations = [...increments, failed("INCR", "x", uncertain, 200)];
    for (const counter of [10, 11]) assertOnly(check(operations, held({ counter })), {});
    assertOnly(check(operations, held({ counter: 12 })), { duplicates: ["INCR"] });
    assertOnly(check(operations, held({ counter: 9 })), { lost: ["INCR"] });
  });

  it("finds each acknowledged write that is gone", () => {
    const operations = [...pushes, ...increments, acknowledged("SET", "s", "OK", 0)];
    const data = held({ counter: 7, list: ids.filter((id) => id !== "4") });
    assertOnly(check(operations, data), { lost: ["RPUSH 4", "SET s", "INCR", "INCR", "INCR"] });
  });

  it("finds everything lost when the master holds nothing at all", () => {
    const report = check([...pushes, acknowledged("SET", "s", "OK", 0)], new Map());
    assert.equal(report.lost.length, 11);
  });

  it("finds increments that were undone although later ones hide them in the sum", () => {
    // 1 to 10, a new master that only has 8, and two more: the counter is 10 again.
    const again = [acknowledged("INCR", "x", "9", 200), acknowledged("INCR", "y", "10", 210)];
    assert.deepEqual(check([...increments, ...again], held({ counter: 10 })).lost, ["INCR", "INCR"]);
  });

  it("finds a write that was refused and executed all the same", () => {
    const operations = [failed("RPUSH", "x", loading, 0), failed("SET", "s", "READONLY You can't", 0)];
    assertOnly(check(operations, held({})), {});
    assertOnly(check(operations, held({ list: ["x"], strings: { s: "s" } })), {
      refusedButExecuted: ["RPUSH x", "SET s"],
    });
    assertOnly(check([failed("INCR", "x", loading, 0)], held({ counter: 1 })), { duplicates: ["INCR"] });
  });

  it("finds elements in another order than that of their acknowledgements", () => {
    const list = [...ids.slice(0, 2), "3", "2", ...ids.slice(4)];
    assertOnly(check(pushes, held({ list })), {
      reordered: [{ earlier: "RPUSH 3", later: "RPUSH 2" }],
    });
  });

  it("finds increments that were answered in another order", () => {
    const operations = [acknowledged("INCR", "x", "2", 0), acknowledged("INCR", "y", "1", 100)];
    assertOnly(check(operations, held({ counter: 2 })), {
      reordered: [{ earlier: "INCR y", later: "INCR x" }],
    });
  });

  it("allows any order of commands that were in flight at the same time", () => {
    const operations = ["x", "y", "z"].map((id, i) => acknowledged("RPUSH", id, "1", i));
    assertOnly(check(operations, held({ list: ["z", "x", "y"] })), {});
  });

  it("finds a late execution of a push whose outcome was unknown only where it proves something", () => {
    // It was never acknowledged, so it may take effect at any time; but what was sent after an acknowledgement may not precede it.
    const operations = [acknowledged("RPUSH", "x", "1", 0), failed("RPUSH", "y", uncertain, 100)];
    assertOnly(check(operations, held({ list: ["x", "y"] })), {});
    assertOnly(check(operations, held({ list: ["y", "x"] })), {
      reordered: [{ earlier: "RPUSH y", later: "RPUSH x" }],
    });
  });

  it("finds elements and values that nobody wrote", () => {
    const operations = [acknowledged("SET", "s", "OK", 0)];
    const report = check(operations, held({ list: ["?"], set: ["!"], strings: { s: "other" } }));
    assert.deepEqual(report.phantom, ["RPUSH ?", "SADD !"]);
    assert.deepEqual(report.wrong, ["SET s holds 'other'"]);
  });

  it("finds members of a set that are gone, and that were added twice", () => {
    const operations = [
      acknowledged("SADD", "x", "1", 0),
      acknowledged("SADD", "y", "0", 10),
      acknowledged("SADD", "z", "1", 20),
    ];
    assertOnly(check(operations, held({ set: ["x", "y"] })), { duplicates: ["SADD y"], lost: ["SADD z"] });
  });

  it("counts writes of unknown outcome that are there", () => {
    const operations = [
      failed("RPUSH", "x", uncertain, 0),
      failed("SADD", "y", uncertain, 0),
      failed("SADD", "z", uncertain, 0),
    ];
    assert.equal(check(operations, held({ list: ["x"], set: ["y"] })).recovered, 2);
  });

  it("finds a read of the list that was undone later, and accepts any beginning of it", () => {
    const read = (answer: string): Operation => acknowledged("LRANGE", "", answer, 5);
    const data = held({ list: ids });
    assertOnly(check([...pushes, read(""), read("0,1,2"), read(ids.join(","))], data), {});
    for (const answer of ["0,1,7", "1,0", `${ids.join(",")},99`]) {
      assert.equal(check([...pushes, read(answer)], data).rolledBack.length, 1, answer);
    }
  });

  it("finds a read that misses an acknowledged write, not one that ran beside it", () => {
    const set = acknowledged("SET", "s", "OK", 0);
    const data = held({ strings: { s: "s" } });
    assert.deepEqual(check([set, acknowledged("GET", "s", "", 10)], data).wrong, ["GET s gave ''"]);
    assertOnly(check([set, acknowledged("GET", "s", "", 2)], data), {});
  });

  it("finds an answer that can't be this command's", () => {
    const operations = [
      acknowledged("SET", "s", "7", 0),
      acknowledged("GET", "s", "OK", 10),
      acknowledged("RPUSH", "x", "s", 20),
    ];
    const report = check(operations, held({ list: ["x"], strings: { s: "s" } }));
    assert.deepEqual(report.wrong, [
      "SET s was answered '7'",
      "GET s was answered 'OK'",
      "RPUSH x was answered 's'",
    ]);
  });

  it("counts errors by their class, reads apart, and what never ended", () => {
    const report = check(
      [
        failed("INCR", "a", uncertain, 0),
        failed("GET", "b", uncertain, 0),
        failed("SET", "c", loading, 0),
        operation("SET", "d", { kind: "open" }, 0),
      ],
      held({ strings: { d: "d" } }),
    );
    assert.deepEqual(report.errors, { UNCERTAIN: 2, LOADING: 1 });
    assert.deepEqual(report.readErrors, { UNCERTAIN: 1 });
    assert.deepEqual([report.unknown, report.open], [2, 1]);
    assertOnly(report, {});
  });

  it("keeps the books of clients apart and counts their disconnects", () => {
    const other = { ...acknowledged("RPUSH", "0", "1", 0), client: "b" };
    const disconnects = ["closed", "timeout: 5 s"].map((reason) => ({ client: "b", atMs: 1, reason }));
    const data = new Map([
      ...held({ list: ids }),
      ["b", { counter: 0, list: [], strings: new Map() }] as const,
    ]);
    const [a, b] = checkLedger({ operations: [...pushes, other], disconnects }, data);
    assert.ok(a && b);
    assertOnly(a, {});
    assertOnly(b, { lost: ["RPUSH 0"] });
    assert.deepEqual([a.disconnects, b.disconnects, b.ownTimeouts], [0, 1, 1]);
  });

  it("finds any single loss, duplicate or foreign element in any history, and nothing in a true one", () => {
    const history = fc.array(fc.record({ gap: fc.integer({ min: 0, max: 9 }), unknown: fc.boolean() }), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(history, fc.nat(), (steps, where) => {
        let nowMs = 0;
        const operations = steps.map(({ gap, unknown }, i) => {
          nowMs += gap;
          return unknown
            ? failed("RPUSH", String(i), uncertain, nowMs)
            : acknowledged("RPUSH", String(i), "1", nowMs);
        });
        const list = operations.map(({ id }) => id);
        assertOnly(check(operations, held({ list })), {});
        const at = where % list.length;
        const id = list[at] ?? "";
        const twice = list.toSpliced(at, 0, id);
        assert.deepEqual(check(operations, held({ list: twice })).duplicates, [`RPUSH ${id}`]);
        const lost = check(operations, held({ list: list.toSpliced(at, 1) })).lost;
        assert.deepEqual(lost, steps[at]?.unknown ? [] : [`RPUSH ${id}`]);
        assert.equal(check(operations, held({ list: list.toSpliced(at, 0, "foreign") })).phantom.length, 1);
      }),
      { numRuns: 200 },
    );
  });
});
