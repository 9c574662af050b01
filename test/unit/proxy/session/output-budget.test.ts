import assert from "node:assert/strict";
import { OutputBudget, type UnreadOutput } from "../../../../proxy/session/output-budget.ts";

const mebi = 2 ** 20;

class Output implements UnreadOutput {
  unread = 0;
  movedAt = 0;
  dropped = false;

  drop(): void {
    this.dropped = true;
    this.unread = 0;
  }
}

describe("OutputBudget", () => {
  let now = 0;
  const limited = (): OutputBudget =>
    new OutputBudget({ pauseAtOutput: 50 * mebi, unreadBytesInAll: 100 }, () => now);

  it("drops those with the most unread bytes, and no more of them than needed", () => {
    const budget = limited();
    const outputs = [10, 60, 20, 15].map((unread) => Object.assign(new Output(), { unread }));
    for (const output of outputs) budget.note(output);
    assert.deepEqual(
      outputs.map(({ dropped }) => dropped),
      [false, true, false, false],
    );
  });

  it("drops nobody for what was read meanwhile, although it was told of nothing", () => {
    const budget = limited();
    const [reader, other] = [new Output(), new Output()];
    reader.unread = 90;
    budget.note(reader);
    reader.unread = 5;
    other.unread = 80;
    budget.note(other);
    assert.ok(!reader.dropped && !other.dropped);
    // The 90 are forgotten.
    other.unread = 94;
    budget.note(other);
    assert.ok(!reader.dropped && !other.dropped);
  });

  it("counts nothing of a connection that is closed", () => {
    const budget = limited();
    for (let i = 0; i < 10; i++) {
      const output = Object.assign(new Output(), { unread: 60 });
      budget.note(output);
      assert.ok(!output.dropped);
      budget.forget(output);
    }
  });

  it("drops those that have read nothing for five seconds before those that read, however much is left for these", () => {
    const budget = limited();
    const [reader, sleeper] = [new Output(), new Output()];
    Object.assign(sleeper, { unread: 30, movedAt: 0 });
    Object.assign(reader, { unread: 60, movedAt: 4000 });
    for (const output of [sleeper, reader]) budget.note(output);
    now = 5000;
    reader.unread = 75;
    budget.note(reader);
    assert.deepEqual([sleeper.dropped, reader.dropped], [true, false]);
    now = 0;
  });

  it("lets each client leave less, the more of them don't read", () => {
    const budget = new OutputBudget({ pauseAtOutput: 4 * mebi, unreadBytesInAll: 128 * mebi });
    assert.equal(budget.share, 4 * mebi);
    const outputs = Array.from({ length: 64 }, () => Object.assign(new Output(), { unread: 1 }));
    for (const output of outputs) budget.note(output);
    assert.equal(budget.share, mebi);
    for (const output of outputs) budget.forget(output);
    assert.equal(budget.share, 4 * mebi);
  });
});
