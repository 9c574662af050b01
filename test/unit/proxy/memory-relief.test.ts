import assert from "node:assert/strict";
import { MemoryRelief } from "../../../proxy/memory-relief.ts";

const mebi = 2 ** 20;

describe("MemoryRelief", () => {
  let resident = 0;
  let collected = 0;
  /** Of a process that takes 90 MiB by itself, more than half of what a small proxy has. */
  const relief = (): MemoryRelief => {
    collected = 0;
    resident = 90 * mebi;
    return new MemoryRelief(40 * mebi, {
      resident: () => resident,
      collect: () => {
        collected++;
      },
    });
  };

  it("collects when the process is big, once for each 16 MiB that were kept", () => {
    const subject = relief();
    resident = 131 * mebi;
    for (let i = 0; i < 40; i++) subject.keep(mebi);
    assert.equal(collected, 2);
  });

  it("lets a small process be", () => {
    const subject = relief();
    resident = 129 * mebi;
    for (let i = 0; i < 40; i++) subject.keep(mebi);
    assert.equal(collected, 0);
  });

  it("can collect in this process", () => {
    const subject = new MemoryRelief(Number.NEGATIVE_INFINITY);
    let lost = 0;
    const registry = new FinalizationRegistry(() => lost++);
    registry.register(Buffer.alloc(mebi), "garbage");
    subject.keep(16 * mebi);
    return new Promise<void>((done) => setTimeout(done, 20)).then(() => assert.equal(lost, 1));
  });
});
