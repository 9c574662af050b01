import assert from "node:assert/strict";
import { LoneSession } from "../../../support/lone-session.ts";

const readonly = "-READONLY You can't write against a read only replica.";
const uncertain = /^-UNCERTAIN the connection to the master was lost while/;

describe("Session", () => {
  let one: LoneSession;
  beforeEach(async () => {
    one = new LoneSession();
    // Until its first reply a client has one command in flight.
    await one.type("GET first");
    one.shared.say("$-1");
    assert.deepEqual([one.asked(), one.told()], [["GET first"], ["$-1"]]);
  });

  it("gives replies in the order of the commands", async () => {
    await one.type("SET a 1", "GET a", "INCR a");
    assert.deepEqual(one.asked(), ["SET a 1", "GET a", "INCR a"]);
    one.shared.say("+OK", "$1\r\n1");
    one.shared.say(":2");
    assert.deepEqual(one.told(), ["+OK", "$1", "1", ":2"]);
    assert.ok(one.session.departure.harmless);
  });

  describe("whose connection is lost", () => {
    it("sends again what had no effect or was never sent, and doesn't know what became of the rest", async () => {
      await one.type("GET a");
      await one.type("INCR a");
      await one.type("INCR b");
      one.asked();
      one.hold();
      one.shared.lose(1);
      assert.deepEqual([one.told(), one.asked()], [[], []]);
      await one.promote();
      assert.deepEqual(one.asked(), ["GET a"], "what is behind has to wait for it");
      one.shared.say("$1\r\n7");
      const told = one.told();
      assert.deepEqual(told.slice(0, 2), ["$1", "7"]);
      assert.match(told[2] ?? "", uncertain);
      assert.deepEqual(one.asked(), ["INCR b"]);
      one.shared.say(":1");
      assert.deepEqual(one.told(), [":1"]);
      assert.deepEqual(one.counted, { uncertain: 1, sentAgain: 1 });
    });

    it("decides about each of the commands that went together", async () => {
      await one.type("INCR a", "GET a", "INCR a");
      one.asked();
      one.shared.say(":1");
      one.hold();
      one.shared.lose();
      await one.promote();
      assert.deepEqual(one.asked(), ["GET a"], "the first was answered");
      one.shared.say("$1\r\n2");
      const [first, , , third] = one.told();
      assert.equal(first, ":1");
      assert.match(third ?? "", uncertain);
      assert.deepEqual(one.asked(), [], "nothing that may have been executed is sent again");
    });

    it("keeps what comes meanwhile behind it", async () => {
      await one.type("GET a");
      one.asked();
      one.hold();
      one.shared.lose();
      await one.type("SET a 1", "GET a");
      assert.deepEqual(one.asked(), []);
      await one.promote();
      assert.deepEqual(one.asked(), ["GET a", "SET a 1", "GET a"]);
    });

    it("is closed when it had got a part of a reply", async () => {
      const size = 6 * 2 ** 20;
      await one.type("GET a");
      one.shared.say(`$${size}\r\n${"x".repeat(size - 10)}`);
      one.shared.lose();
      assert.ok(!one.isOpen);
    });
  });

  describe("whose command was refused", () => {
    it("sends it again with all behind it that had no effect, and gives the answers in order", async () => {
      await one.type("SET a 1", "GET a");
      one.asked();
      one.hold();
      one.shared.say(readonly, "$1\r\n0");
      assert.deepEqual([one.told(), one.shared.rejected], [[], ["READONLY"]]);
      one.shared.lose();
      await one.promote();
      assert.deepEqual(one.asked(), ["SET a 1", "GET a"]);
      one.shared.say("+OK", "$1\r\n1");
      assert.deepEqual(one.told(), ["+OK", "$1", "1"]);
    });

    it("is told the refusal when a later one was executed: to send it again would turn their order round", async () => {
      await one.type("SET a 1", "INCR b");
      one.asked();
      one.shared.say(readonly, ":1");
      assert.deepEqual(one.told(), [readonly, ":1"]);
      assert.deepEqual(one.asked(), []);
    });

    it("waits until it is known whether a program's word is Redis'", async () => {
      for (const proven of [false, true]) {
        one.proven = proven;
        await one.type("EVAL x 0");
        one.asked();
        one.shared.say(readonly);
        assert.deepEqual(one.told(), proven ? [] : [readonly]);
        assert.deepEqual(one.asked(), proven ? ["EVAL x 0"] : []);
      }
    });
  });

  it("hands out UNCERTAIN for an unconfirmed write, and what is none as it came", async () => {
    const replies: string[] = [];
    const { send } = one.shared;
    one.shared.send = (run) => {
      for (const [i, reply] of [":1", "$-1", "-ERR no"].entries())
        for (const how of ["timeout", "lost"] as const)
          replies.push(`${one.session.ledger.unconfirmed(run, i, Buffer.from(reply), how)}`);
      send.call(one.shared, run);
    };
    await one.type("INCR a", "GET a", "SET a");
    const [timeout, lost, ...others] = replies;
    assert.match(timeout ?? "", /^-UNCERTAIN no replica has confirmed the write in time/);
    assert.match(lost ?? "", /^-UNCERTAIN the connection to the master was lost before a replica/);
    assert.deepEqual(others, ["$-1", "$-1", "-ERR no", "-ERR no"]);
    assert.deepEqual(one.counted, { uncertain: 2 });
  });
});
