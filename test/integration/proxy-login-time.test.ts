import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { useProxy } from "../support/proxy-fixture.ts";

const users = new Map([["default", "secret"]]);

describe("the proxy, clients that have to log in", () => {
  const test = useProxy({ users, limits: { authenticateWithinMs: 1500 } });

  it("keeps those whose AUTH or HELLO it holds itself, however long there is no master", async () => {
    await test.loseMaster();
    const early = [await test.newcomer(), await test.newcomer()];
    early[0]?.send("AUTH", "secret");
    early[1]?.send("HELLO", "3", "AUTH", "default", "secret");
    const silent = await test.newcomer();
    // Overdue clients are looked for every second.
    await delay(4000);
    assert.deepEqual(
      early.map(({ isOpen }) => isOpen),
      [true, true],
    );
    assert.ok(!silent.isOpen, "one that has said nothing is still there");
    test.topology.promoteSecond();
    assert.equal(await early[0]?.reply(), "+OK");
    assert.equal((await early[1]?.rawReplies(1))?.[0]?.[0], "%");
    for (const client of early) assert.equal(await client.call("INCR a"), client === early[0] ? 1 : 2);
  });

  it("gives those whose password is wrong no more time than others, once there is a master", async () => {
    await test.loseMaster();
    const intruder = await test.newcomer();
    intruder.send("AUTH", "guess");
    await delay(3500);
    assert.ok(intruder.isOpen);
    test.topology.promoteSecond();
    assert.match(String(await intruder.reply()), /^-WRONGPASS/);
    await intruder.gone(5000);
  });
});
