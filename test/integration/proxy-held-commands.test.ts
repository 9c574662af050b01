import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { answers, waitsFor } from "../support/fake-redis-faults.ts";
import { notExecuted, useProxy } from "../support/proxy-fixture.ts";

describe("the proxy, commands while there is no master", () => {
  describe("with enough time", () => {
    const test = useProxy();

    it("executes each client's commands in their order on the next master, once", async () => {
      const [one, two] = [await test.client(), await test.client(3)];
      await test.loseMaster();
      one.pipeline("RPUSH l 1", "RPUSH l 2", "GET x", "RPUSH l 3");
      two.pipeline("INCR n", "INCR n");
      await test.settled();
      test.topology.promoteSecond();
      assert.deepEqual(await one.replies(4), [1, 2, null, 3]);
      assert.deepEqual(await two.replies(2), [1, 2]);
      assert.deepEqual(test.second.data.list("l"), ["1", "2", "3"]);
      assert.equal(test.second.executed.length, 6);
    });

    it("takes the clients in the order in which they began to wait", async () => {
      const clients = [await test.client(), await test.client(), await test.client()];
      await test.loseMaster();
      for (const [i, client] of [...clients.entries()].reverse()) {
        client.send(`RPUSH l ${i}`);
        await test.settled();
      }
      test.topology.promoteSecond();
      for (const client of clients) await client.reply();
      assert.deepEqual(test.second.data.list("l"), ["2", "1", "0"]);
    });

    it("lets clients connect and say hello meanwhile", async () => {
      await test.loseMaster();
      const client = await test.newcomer();
      client.send("INCR a");
      await test.settled();
      assert.deepEqual(client.unread, []);
      test.topology.promoteSecond();
      assert.equal(await client.reply(), 1);
    });

    it("never executes them for a client whose departure comes at the same moment as the master", async () => {
      const leaver = await test.client();
      await test.loseMaster();
      leaver.send("INCR gone");
      await test.settled();
      const answer = Promise.withResolvers<void>();
      test.second.once(/^PING/, waitsFor(answer.promise));
      test.topology.promoteSecond();
      await eventually(() => assert.ok(test.second.log.some(({ text }) => text === "PING")));
      // The connection to the master is there, then the client is gone; the proxy hears of both in one turn of its loop.
      answer.resolve();
      for (let i = 0; i < 20; i++) await Promise.resolve();
      leaver.socket.destroy();
      const end = performance.now() + 20;
      while (performance.now() < end);
      const stayer = await test.client();
      assert.equal(await stayer.call("GET gone"), null);
      assert.ok(!test.second.arrived.includes("INCR gone"));
    });

    for (const [how, leave] of [
      ["is closed", "destroy"],
      ["is reset", "resetAndDestroy"],
      ["is half-closed", "end"],
    ] as const) {
      it(`never executes the commands of a client whose connection ${how}`, async () => {
        const [leaver, stayer] = [await test.client(), await test.client()];
        await test.loseMaster();
        leaver.pipeline("INCR gone", "SET gone 5");
        stayer.send("INCR stays");
        await test.settled();
        leaver.socket[leave]();
        await test.settled();
        test.topology.promoteSecond();
        assert.equal(await stayer.reply(), 1);
        assert.equal(await stayer.call("GET stays"), "1");
        assert.deepEqual(test.second.executed, ["INCR stays", "GET stays"]);
      });
    }

    it("never executes the commands of a client that left when nothing more was read from it", async () => {
      const [leaver, stayer] = [await test.client(), await test.client()];
      await test.loseMaster();
      leaver.socket.write(
        Buffer.from(`*3\r\n$3\r\nSET\r\n$4\r\ngone\r\n$65536\r\n${"x".repeat(65_536)}\r\n`.repeat(64)),
      );
      stayer.send("INCR stays");
      await test.settled();
      leaver.destroy();
      await test.settled();
      test.topology.promoteSecond();
      assert.equal(await stayer.reply(), 1);
      assert.equal(await stayer.call("GET stays"), "1");
      const names = test.second.clientCommands.map(({ args }) => `${args[0]} ${args[1]}`);
      assert.deepEqual(names, ["INCR stays", "GET stays"]);
    });

    it("holds no longer when the same master is back", async () => {
      const client = await test.client();
      await test.loseMaster();
      client.send("INCR a");
      await test.settled();
      await test.first.start();
      assert.equal(await client.reply(5000), 1);
      assert.deepEqual(test.first.executed, ["INCR a"]);
    });
  });

  describe("past the deadline", () => {
    const holdMs = 700;
    const test = useProxy({ holdTimeoutMs: holdMs });

    it("says that a command was not executed, keeps the connection, and doesn't execute it later", async () => {
      const client = await test.client();
      await test.loseMaster();
      const begin = performance.now();
      client.pipeline("INCR a", "GET a");
      const replies = await client.replies(2);
      const waited = performance.now() - begin;
      for (const reply of replies) assert.match(String(reply), notExecuted);
      assert.ok(waited < holdMs + 1500, `${waited} ms`);
      test.topology.promoteSecond();
      await eventually(async () => assert.equal(await client.call("INCR b"), 1));
      assert.ok(!test.second.arrived.includes("INCR a"));
      assert.ok(client.isOpen);
    });

    it("says so at once to whoever comes later, until there is a master again", async () => {
      const early = await test.client();
      await test.loseMaster();
      assert.match(String(await early.call("INCR a")), notExecuted);
      const late = await test.newcomer();
      for (const client of [early, late]) {
        const begin = performance.now();
        assert.match(String(await client.call("INCR a")), notExecuted);
        assert.ok(performance.now() - begin < holdMs / 2);
      }
      test.topology.promoteSecond();
      await eventually(async () => assert.equal(await late.call("EXISTS b"), 0));
      assert.deepEqual(test.second.data.text("a"), undefined);
    });

    it("gives a master's NOREPLICAS to the client when it doesn't end; reads go on meanwhile", async () => {
      const [writer, reader] = [await test.client(), await test.client()];
      const refusal = "-NOREPLICAS Not enough good replicas to write.";
      test.first.always(/^INCR/, answers(refusal));
      const begin = performance.now();
      writer.send("INCR a");
      await test.settled();
      assert.equal(await reader.call("GET a"), null);
      assert.ok(performance.now() - begin < holdMs, "the reader had to wait as long as the writer");
      assert.equal(await writer.reply(), refusal);
      assert.ok(performance.now() - begin >= holdMs - 50);
      assert.equal(await writer.call("INCR a"), refusal);
      test.first.behave();
      assert.equal(await writer.call("INCR a"), 1);
      // Two seconds later it is another trouble, with a time of its own.
      await eventually(() => assert.ok(performance.now() - begin > holdMs + 2200), { withinMs: 5000 });
      test.first.once(/^INCR/, answers(refusal));
      assert.equal(await writer.call("INCR a"), 2);
    });

    it("waits again at the next failover, as long as at the first one", async () => {
      const client = await test.client();
      await test.loseMaster();
      assert.match(String(await client.call("INCR a")), notExecuted);
      test.topology.promoteSecond();
      await eventually(async () => assert.equal(await client.call("EXISTS b"), 0));
      await test.second.stop();
      await test.proxy.holds();
      client.send("INCR a");
      await test.settled();
      await test.first.start();
      test.topology.announce(test.first);
      assert.equal(await client.reply(), 1);
    });
  });
});
