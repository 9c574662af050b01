import assert from "node:assert/strict";
import { LoneSession } from "../../../support/lone-session.ts";

const readonly = "-READONLY You can't write against a read only replica.";
const execAbort = /^-EXECABORT/;
const uncertain = /^-UNCERTAIN/;

describe("a transaction", () => {
  let one: LoneSession;
  beforeEach(() => {
    one = new LoneSession();
  });

  /** A transaction with one command that the server has queued. */
  async function begin(): Promise<void> {
    await one.type("MULTI");
    one.last.say("+OK");
    await one.type("INCR a");
    one.last.say("+QUEUED");
    assert.deepEqual(one.asked(), ["MULTI", "INCR a"]);
    assert.deepEqual(one.told(), ["+OK", "+QUEUED"]);
  }

  /** Its connection is lost, and another master is there. */
  async function failOver(): Promise<void> {
    one.hold();
    one.last.lose();
    await one.promote();
  }

  it("goes over a connection of its own, which is the client's until it is over", async () => {
    await begin();
    assert.ok(one.session.ownConnection?.inTransaction);
    assert.ok(!one.session.departure.harmless);
    await one.type("EXEC");
    one.last.say("*1\r\n:1");
    assert.deepEqual(one.told(), ["*1", ":1"]);
    assert.ok(!one.session.ownConnection?.inTransaction && !one.session.ownConnection?.active);
    assert.equal(one.own.length, 1);
  });

  it("is built again on the next master, not a word of it before that has said that it is one", async () => {
    await begin();
    await failOver();
    await one.type("INCR b");
    assert.deepEqual(one.asked(), ["MULTI"]);
    one.last.say("+OK");
    assert.deepEqual(one.asked(), ["INCR a", "INCR b"]);
    one.last.say("+QUEUED", "+QUEUED");
    assert.deepEqual(one.told(), ["+QUEUED"], "the first was told before");
    await one.type("EXEC");
    one.last.say("*2\r\n:1\r\n:1");
    assert.deepEqual(one.told(), ["*2", ":1", ":1"]);
  });

  it("isn't built again where it is refused: everything says so, and nothing is executed", async () => {
    await begin();
    await failOver();
    await one.type("INCR b");
    one.last.say("-NOPERM no multi");
    await one.type("EXEC");
    const [second, exec] = one.told();
    assert.equal(second, "-NOPERM no multi");
    assert.match(exec ?? "", execAbort);
    assert.deepEqual(one.asked(), ["MULTI"]);
  });

  it("whose EXEC is in flight at a loss is never sent again", async () => {
    await one.type("MULTI", "INCR a", "EXEC");
    for (const reply of ["+OK", "+QUEUED"]) one.last.say(reply);
    one.asked();
    await failOver();
    const [multi, incr, exec] = one.told();
    assert.deepEqual([multi, incr], ["+OK", "+QUEUED"]);
    assert.match(exec ?? "", uncertain);
    assert.deepEqual(one.asked(), []);
    assert.ok(!one.session.ownConnection?.inTransaction);
  });

  it("of which nothing was sent is sent to the next master", async () => {
    await one.type("MULTI");
    one.last.lose(1);
    await one.promote();
    assert.deepEqual(one.asked(), ["MULTI", "MULTI"]);
    one.last.say("+OK");
    assert.deepEqual(one.told(), ["+OK"]);
  });

  it("is none when the server refuses its MULTI, and what follows is executed like anything else", async () => {
    await one.type("MULTI");
    one.last.say("-NOPERM no multi");
    assert.ok(!one.session.ownConnection?.inTransaction);
    await one.type("INCR a");
    assert.deepEqual(one.asked(), ["MULTI", "INCR a"]);
    one.shared.say(":1");
    assert.deepEqual(one.told(), ["-NOPERM no multi", ":1"]);
  });

  it("whose EXEC a replica refuses is built again on the next master", async () => {
    await begin();
    await one.type("EXEC");
    assert.deepEqual(one.asked(), ["EXEC"]);
    one.hold();
    one.last.say(readonly.replace("-", "-EXECABORT Transaction discarded because of: "));
    assert.deepEqual(one.told(), []);
    await failOver();
    assert.deepEqual(one.asked(), ["MULTI"]);
    one.last.say("+OK");
    assert.deepEqual(one.asked(), ["INCR a", "EXEC"]);
    one.last.say("+QUEUED", "*1\r\n:1");
    assert.deepEqual(one.told(), ["*1", ":1"]);
  });

  it("with a command that the proxy refuses can't be executed", async () => {
    await begin();
    await one.type("SUBSCRIBE c");
    assert.match(one.told()[0] ?? "", /^-ERR subscribe isn't possible inside MULTI/);
    await one.type("EXEC");
    assert.match(one.told()[0] ?? "", execAbort);
    assert.deepEqual(one.asked(), ["DISCARD"]);
  });

  it("ends with DISCARD, also where its connection is gone", async () => {
    await begin();
    await one.type("DISCARD");
    one.last.say("+OK");
    assert.deepEqual([one.asked(), one.told()], [["DISCARD"], ["+OK"]]);
    await begin();
    one.last.lose();
    await one.type("DISCARD");
    assert.deepEqual([one.asked(), one.told()], [[], ["+OK"]]);
    assert.ok(!one.session.ownConnection?.inTransaction);
  });

  it("with a WATCH on a connection that was lost is nil, once", async () => {
    await one.type("WATCH k");
    one.last.say("+OK");
    one.last.lose();
    await one.type("MULTI");
    one.last.say("+OK");
    await one.type("EXEC");
    assert.deepEqual(one.told(), ["+OK", "+OK", "*-1"]);
    assert.equal(one.counted.watchesLost, 1);
    assert.ok(!one.asked().includes("EXEC"));
    await one.type("MULTI");
    one.last.say("+OK");
    await one.type("EXEC");
    one.last.say("*0");
    assert.deepEqual(one.told(), ["+OK", "*0"]);
  });

  it("keeps commands that could run on their own until the server has said that there is one", async () => {
    await one.type("MULTI", "WATCH k");
    assert.deepEqual(one.asked(), ["MULTI"]);
    one.last.say("+OK");
    assert.deepEqual(one.asked(), ["WATCH k"]);
  });
});
