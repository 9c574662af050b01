import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { WriteBatch } from "../../../../proxy/upstream/write-batch.ts";

/** A socket whose kernel takes everything at once, or nothing. */
class SlowSocket {
  destroyed = false;
  writableLength = 0;
  takesAll = true;
  readonly written: Buffer[] = [];
  #corked = 0;

  cork(): void {
    this.#corked++;
  }
  uncork(): void {
    this.#corked--;
  }
  write(piece: Buffer): void {
    if (!this.takesAll) this.writableLength += piece.length;
    this.written.push(this.takesAll ? Buffer.from(piece) : piece);
  }
  get isCorked(): boolean {
    return this.#corked > 0;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("WriteBatch", () => {
  let socket: SlowSocket;
  let flushes: number;
  let batch: WriteBatch;
  beforeEach(() => {
    socket = new SlowSocket();
    flushes = 0;
    batch = new WriteBatch(socket as unknown as Socket, () => flushes++);
  });

  const add = (text: string): void => batch.add(Buffer.from(text), 0, text.length);
  const texts = (): string[] => socket.written.splice(0).map(String);

  it("writes what was added in one turn at once", async () => {
    add("a");
    batch.schedule(false);
    add("b");
    batch.schedule(false);
    assert.deepEqual(texts(), []);
    await turn();
    assert.deepEqual(texts(), ["ab"]);
    assert.equal(flushes, 1);
    await turn();
    assert.deepEqual([texts(), flushes], [[], 1]);
  });

  it("doesn't wait for the turn's end when the server has nothing to do, unless several came in the turn before", async () => {
    add("a");
    batch.schedule(true);
    await Promise.resolve();
    assert.deepEqual(texts(), ["a"]);
    add("b");
    add("c");
    batch.schedule(true);
    await Promise.resolve();
    assert.deepEqual(texts(), ["bc"]);
    add("d");
    batch.schedule(true);
    await Promise.resolve();
    assert.deepEqual(texts(), []);
    await turn();
    assert.deepEqual(texts(), ["d"]);
  });

  it("takes only the given part, copies what is small, and passes big pieces on in order", async () => {
    const big = Buffer.alloc(9000, "x");
    batch.add(Buffer.from("-abc-"), 1, 4);
    batch.add(big, 0, big.length);
    batch.add(big, 0, 8500);
    add("end");
    batch.schedule(false);
    await turn();
    assert.deepEqual(
      socket.written.map(({ length }) => length),
      [3, 9000, 8500, 3],
    );
    assert.equal(Buffer.concat(socket.written).toString(), `abc${big}${big.subarray(0, 8500)}end`);
    assert.ok(!socket.isCorked);
  });

  it("overwrites nothing that the kernel hasn't taken", async () => {
    socket.takesAll = false;
    add("first");
    batch.schedule(false);
    await turn();
    add("other");
    batch.schedule(false);
    await turn();
    assert.deepEqual(socket.written.map(String), ["first", "other"]);
  });

  it("begins another page when one is full, and loses nothing", async () => {
    const piece = "0123456789abcdef".repeat(500);
    let expected = "";
    for (let i = 0; i < 20; i++) {
      add(piece);
      expected += piece;
    }
    batch.schedule(false);
    await turn();
    assert.equal(Buffer.concat(socket.written).toString(), expected);
  });

  it("takes what is added while it flushes, and gives nothing to a socket that is gone", async () => {
    const asking = new WriteBatch(socket as unknown as Socket, () => asking.add(Buffer.from("?"), 0, 1));
    asking.add(Buffer.from("a"), 0, 1);
    asking.schedule(false);
    await turn();
    assert.deepEqual(texts(), ["a?"]);
    socket.destroyed = true;
    add("late");
    batch.schedule(false);
    await turn();
    assert.deepEqual(texts(), []);
  });
});
