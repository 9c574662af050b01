import assert from "node:assert/strict";
import { OutputBudget, type UnreadOutput } from "../../../../proxy/session/output-budget.ts";

class Output implements UnreadOutput {
  unread = 0;
  dropped = false;

  drop(): void {
    this.dropped = true;
    this.unread = 0;
  }
}

describe("OutputBudget", () => {
  it("drops those with the most unread bytes, and no more of them than needed", () => {
    const budget = new OutputBudget(100);
    const outputs = [10, 60, 20, 15].map((unread) => Object.assign(new Output(), { unread }));
    for (const output of outputs) budget.note(output);
    assert.deepEqual(
      outputs.map(({ dropped }) => dropped),
      [false, true, false, false],
    );
  });

  it("drops nobody for what was read meanwhile, although it was told of nothing", () => {
    const budget = new OutputBudget(100);
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
    const budget = new OutputBudget(100);
    for (let i = 0; i < 10; i++) {
      const output = Object.assign(new Output(), { unread: 60 });
      budget.note(output);
      assert.ok(!output.dropped);
      budget.forget(output);
    }
  });
});
