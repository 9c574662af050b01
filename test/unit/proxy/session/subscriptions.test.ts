import assert from "node:assert/strict";
import { type CommandRule, unknownCommand } from "../../../../proxy/commands/command-rule.ts";
import { decodeCommand, encodeCommand } from "../../../../proxy/resp/command-frame.ts";
import {
  isPublished,
  SubscriptionBudget,
  Subscriptions,
  unconfirmed,
} from "../../../../proxy/session/subscriptions.ts";
import { Command } from "../../../../proxy/upstream/command.ts";

function command(...args: string[]): Command {
  const name = (args[0] ?? "").toLowerCase();
  const route: CommandRule["route"] = name.includes("unsubscribe") ? "unsubscribe" : "subscribe";
  return new Command({ ...unknownCommand, name, route }, args.length, [encodeCommand(args)]);
}

describe("Subscriptions", () => {
  let budget: SubscriptionBudget;
  let subscriptions: Subscriptions;
  beforeEach(() => {
    budget = new SubscriptionBudget(1000);
    subscriptions = new Subscriptions(budget);
  });

  const restored = (): [string[], number][] =>
    subscriptions
      .restore()
      .map(({ frame, confirmations }) => [decodeCommand(frame).map(String), confirmations]);

  it("are brought back by one command for each kind", () => {
    subscriptions.apply(command("SUBSCRIBE", "a", "b", "a"));
    subscriptions.apply(command("PSUBSCRIBE", "p*"));
    subscriptions.apply(command("SSUBSCRIBE", "s"));
    subscriptions.apply(command("UNSUBSCRIBE", "b"));
    assert.equal(subscriptions.count, 3);
    assert.deepEqual(restored(), [
      [["subscribe", "a"], 1],
      [["psubscribe", "p*"], 1],
      [["ssubscribe", "s"], 1],
    ]);
  });

  it("expect as many confirmations as Redis gives", () => {
    const confirmations = (...args: string[]): number => subscriptions.apply(command(...args)).confirmations;
    assert.equal(confirmations("SUBSCRIBE", "a", "b", "a"), 3);
    assert.equal(confirmations("SUBSCRIBE"), 1, "an error");
    assert.equal(confirmations("UNSUBSCRIBE", "b", "x"), 2);
    assert.equal(confirmations("PUNSUBSCRIBE"), 1, "there is none: it is told once");
    assert.equal(confirmations("SUBSCRIBE", "c"), 1);
    assert.equal(confirmations("UNSUBSCRIBE"), 2, "all that are left");
    assert.equal(subscriptions.count, 0);
  });

  it("are what they were before a command that Redis refuses", () => {
    subscriptions.apply(command("SUBSCRIBE", "a", "b"));
    const { total } = budget;
    subscriptions.apply(command("SUBSCRIBE", "b", "c")).undo();
    assert.deepEqual(restored(), [[["subscribe", "a", "b"], 2]]);
    assert.equal(budget.total, total);
    subscriptions.apply(command("UNSUBSCRIBE", "a")).undo();
    assert.deepEqual(restored(), [[["subscribe", "b", "a"], 2]]);
    assert.equal(budget.total, total, "what is kept again is counted again");
  });

  it("count for all clients together, and free what they took when they end", () => {
    const other = new Subscriptions(budget);
    subscriptions.apply(command("SUBSCRIBE", "x".repeat(300)));
    other.apply(command("SUBSCRIBE", "y".repeat(300)));
    assert.equal(budget.total, 2 * (300 + 128));
    assert.ok(other.exceededBy(command("SUBSCRIBE", "z".repeat(100))));
    assert.ok(!other.exceededBy(command("UNSUBSCRIBE", "z".repeat(1000))), "it needs no room");
    subscriptions.end();
    assert.equal(subscriptions.count, 0);
    assert.ok(!other.exceededBy(command("SUBSCRIBE", "z".repeat(100))));
    other.apply(command("UNSUBSCRIBE"));
    assert.equal(budget.total, 0);
  });

  it("are asked for again where they weren't confirmed before the connection was lost", () => {
    const args = (left: number): string[] =>
      decodeCommand(Buffer.concat(unconfirmed(command("SUBSCRIBE", "a", "b", "c"), left).pieces)).map(String);
    assert.deepEqual(args(3), ["SUBSCRIBE", "a", "b", "c"]);
    assert.deepEqual(args(1), ["SUBSCRIBE", "c"]);
  });

  it("tell a message from a reply", () => {
    const frame = (type: string, ...words: string[]): Buffer =>
      Buffer.from(
        `${type}${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`,
      );
    const cases: [string, 2 | 3, boolean][] = [
      ["message", 2, true],
      ["pmessage", 2, true],
      ["smessage", 2, true],
      ["subscribe", 2, false],
      ["pong", 2, false],
      ["message", 3, true],
      ["invalidate", 3, true],
      ["subscribe", 3, false],
      ["sunsubscribe", 3, false],
    ];
    for (const [kind, protocol, expected] of cases)
      assert.equal(
        isPublished(frame(protocol === 3 ? ">" : "*", kind, "c", "x"), protocol),
        expected,
        `${kind} in RESP${protocol}`,
      );
    assert.equal(isPublished(frame("*", "message", "c", "x"), 3), false, "an array is a reply in RESP3");
    assert.equal(isPublished(Buffer.from("+OK\r\n"), 2), false);
  });
});
