import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ScriptStore } from "../../../../proxy/upstream/script-store.ts";

const [one, two] = [
  { tag: 1, runId: "1" },
  { tag: 2, runId: "2" },
];
const text = (i: number): Buffer => Buffer.from(`return ${i}`);
const shaOf = (i: number): string => createHash("sha1").update(text(i)).digest("hex");

describe("the store of scripts", () => {
  it("knows what a process lacks", () => {
    const store = new ScriptStore(1e6);
    assert.equal(store.missingIn(undefined), false);
    store.add(text(1), "loaded", one);
    assert.equal(store.get(shaOf(1))?.toString(), "return 1");
    assert.ok(store.isIn(shaOf(1), one));
    assert.equal(store.nextMissingIn(one), undefined);
    assert.equal(store.missingIn(one), false);
    assert.deepEqual([store.has(text(1)), store.has(text(2)), store.has(undefined)], [true, false, false]);
    assert.equal(store.missingIn(two), true);
    assert.equal(store.nextMissingIn(two), shaOf(1));
    store.note(shaOf(1), two);
    assert.equal(store.nextMissingIn(two), undefined);
    store.add(text(2), "evaluated", undefined);
    assert.equal(store.missingIn(two), true);
    assert.equal(store.nextMissingIn(two), shaOf(2));
  });

  it("forgets the oldest of EVAL, and keeps those that were loaded", () => {
    const store = new ScriptStore(1e9);
    store.add(text(0), "evaluated", one);
    store.add(text(0), "loaded", one);
    for (let i = 1; i <= 501; i++) store.add(text(i), "evaluated", one);
    store.add(text(2), "evaluated", one);
    store.add(text(502), "evaluated", one);
    assert.equal(store.count, 501);
    assert.deepEqual(
      [0, 1, 2, 3, 502].map((i) => store.get(shaOf(i)) !== undefined),
      [true, false, true, false, true],
    );
    for (let i = 1000; i < 2001; i++) store.add(text(i), "loaded", one);
    assert.equal(store.get(shaOf(0)), undefined);
  });

  it("keeps no more bytes than it may, and none after a flush", () => {
    const store = new ScriptStore(10_000);
    for (let i = 0; i < 50; i++)
      store.add(Buffer.alloc(4000, String(i)), i % 2 ? "loaded" : "evaluated", one);
    assert.ok(store.bytes <= 10_000, String(store.bytes));
    assert.equal(store.count, 2);
    store.add(Buffer.alloc(20_000), "loaded", one);
    assert.equal(store.count, 0);
    store.add(text(1), "loaded", one);
    assert.deepEqual([store.has(text(1)), store.has(Buffer.alloc(4000, "1"))], [true, false]);
    store.clear();
    assert.equal(store.has(text(1)), false);
    assert.deepEqual([store.count, store.bytes, store.get(shaOf(1))], [0, 0, undefined]);
  });
});
