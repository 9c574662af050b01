import assert from "node:assert/strict";
import { ByteBudget, type Reader } from "../../../../proxy/session/byte-budget.ts";
import { eventually } from "../../../support/eventually.ts";

/** A client with a command of some bytes, which it sends byte by byte whenever it may. */
class Sender implements Reader {
  /** It may not read for a reason of its own. */
  hindered = false;
  asked = 0;
  /** What it sends can go on when it is complete. */
  completes = true;
  reading = true;
  readonly #budget: ByteBudget;
  readonly #size: number;
  #bytes = 0;

  constructor(budget: ByteBudget, size: number) {
    this.#budget = budget;
    this.#size = size;
  }

  /** Sends up to so many bytes, and no more than one command, which is gone when it is complete. */
  send(bytes: number): void {
    for (let i = 0; i < bytes && this.reading; i++) {
      this.#bytes++;
      this.#budget.change(this, 1, false);
      if (this.#bytes === this.#size) {
        this.#bytes = 0;
        this.#budget.change(this, -this.#size, true);
        return;
      }
      this.reading = this.#budget.mayGrow(this, this.completes);
    }
  }

  leave(): void {
    this.reading = false;
    this.#budget.change(this, -this.#bytes, true);
    this.#bytes = 0;
  }

  get complete(): boolean {
    return this.#bytes === 0;
  }

  mayRead(): boolean {
    this.asked++;
    this.reading = !this.hindered && this.#budget.mayGrow(this, this.completes);
    return this.reading;
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("ByteBudget", () => {
  const budgetWith = (limit: number, count: number, size: number): [ByteBudget, Sender[]] => {
    const budget = new ByteBudget(limit);
    return [budget, Array.from({ length: count }, () => new Sender(budget, size))];
  };

  it("lets everybody send while there is room", () => {
    const [, senders] = budgetWith(100, 10, 20);
    for (const sender of senders) sender.send(9);
    assert.ok(senders.every(({ reading }) => reading));
  });

  it("lets four complete their commands when it is full, so that they don't wait for each other", async () => {
    const [budget, senders] = budgetWith(100, 10, 40);
    for (const sender of senders) sender.send(30);
    assert.ok(budget.total >= 100 && budget.total < 100 + 4 * 40, String(budget.total));
    await eventually(() => {
      for (const sender of senders) if (!sender.complete) sender.send(10);
      assert.ok(senders.every(({ complete }) => complete));
    });
    assert.equal(budget.total, 0);
  });

  it("passes room on when the first who is asked can't use it", async () => {
    const [, senders] = budgetWith(100, 8, 200);
    const [big, ...others] = senders;
    big?.send(99);
    for (const sender of others) sender.send(1);
    const waiting = others.filter(({ reading }) => !reading);
    assert.ok(waiting.length >= 2);
    const [first, second] = waiting;
    assert.ok(first !== undefined && second !== undefined);
    first.hindered = true;
    big?.leave();
    await turn();
    assert.ok(first.asked === 1 && !first.reading && second.reading);
  });

  it("asks everybody who waits when there is room for all: one that sends nothing holds up nobody", async () => {
    const [, senders] = budgetWith(1000, 50, 2000);
    const [big, ...others] = senders;
    big?.send(999);
    for (const sender of others) sender.send(1);
    assert.ok(others.some(({ reading }) => !reading));
    big?.leave();
    await eventually(() => assert.ok(others.every(({ reading }) => reading)), { everyMs: 1 });
  });

  it("forgets nobody who begins to wait while others are asked", async () => {
    const [, senders] = budgetWith(100, 12, 300);
    const [big, ...others] = senders;
    big?.send(99);
    for (const sender of others.slice(0, 6)) sender.send(1);
    big?.leave();
    const late = others.slice(6);
    for (const sender of late) sender.send(20);
    late[0]?.leave();
    await eventually(() => {
      const [, ...left] = late;
      for (const sender of left) if (sender.reading) sender.leave();
      assert.ok(left.every(({ complete }) => complete));
    });
  });

  it("lets those go on that were stopped while they were completing a command", async () => {
    const [budget, senders] = budgetWith(100, 8, 90);
    for (const sender of senders) sender.send(30);
    const stopped = senders.filter(({ reading }) => reading);
    assert.ok(budget.total >= 100 && stopped.length > 0);
    // There is no master for a moment.
    for (const sender of senders) {
      sender.completes = false;
      sender.send(1);
    }
    assert.ok(senders.every(({ reading }) => !reading));
    for (const sender of senders) sender.completes = true;
    budget.admit();
    await eventually(() => {
      for (const sender of senders) if (!sender.complete) sender.send(10);
      assert.ok(senders.every(({ complete }) => complete));
    });
  });
});
