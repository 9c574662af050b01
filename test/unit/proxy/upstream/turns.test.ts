import assert from "node:assert/strict";
import { Turns } from "../../../../proxy/upstream/turns.ts";

describe("Turns", () => {
  it("lets one in at a time, in the order in which they came", async () => {
    const turns = new Turns();
    const woken: string[] = [];
    const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => ({ wake: () => woken.push(name) }));
    assert.ok(a && b && c && d);
    assert.ok(turns.enter(a));
    assert.ok(turns.enter(a), "it has the turn already");
    assert.deepEqual(
      [turns.enter(b), turns.enter(c), turns.enter(d), turns.enter(b)],
      [false, false, false, false],
    );
    turns.leave(c);
    turns.leave(a);
    assert.ok(!turns.enter(a), "others have waited longer");
    await Promise.resolve();
    assert.deepEqual(woken, ["b"]);
    assert.ok(turns.enter(b));
    turns.leave(b);
    turns.leave(d);
    await Promise.resolve();
    assert.deepEqual(woken, ["b", "d", "a"]);
    turns.leave(a);
    assert.ok(turns.enter(c));
  });
});
