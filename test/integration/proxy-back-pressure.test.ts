import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { waitsFor } from "../support/fake-redis-faults.ts";
import { useProxy } from "../support/proxy-fixture.ts";
import { frameCommand } from "../support/resp-frames.ts";

const mebi = 2 ** 20;

/** The first replies that aren't a value of 4 KiB, and what they are. */
function odd(replies: readonly string[]): string[] {
  return replies
    .filter((reply) => reply.length !== 4096 + 9)
    .map((reply) => reply.slice(0, 100))
    .slice(0, 3);
}

describe("the proxy, clients that are faster or slower than it likes", () => {
  const test = useProxy();

  it("holds thousands of small commands of one client, and executes all of them in order later", async () => {
    const client = await test.client();
    await test.loseMaster();
    const count = 6000;
    const commands = Array.from({ length: count }, (_, i) => frameCommand(["RPUSH", "l", String(i)]));
    client.socket.write(commands.join(""));
    await test.settled();
    test.topology.promoteSecond();
    const replies = await client.replies(count, 5000);
    assert.ok(replies.every((reply, i) => reply === i + 1));
    assert.ok(test.second.data.list("l").every((item, i) => item === String(i)));
  });

  it("stops reading from a client that is held after a mebibyte: the rest stays with the client", async () => {
    const client = await test.client();
    await test.loseMaster();
    const value = "x".repeat(mebi / 4);
    const count = 64;
    for (let i = 0; i < count; i++) client.send("RPUSH", "l", value);
    await test.settled();
    const bytes = await test.proxy.metric("redis_ha_proxy_held_bytes");
    // One read may go over it by what one read gives.
    assert.ok(bytes <= 1.5 * mebi, `${bytes} bytes held`);
    assert.ok(client.socket.writableLength > 0);
    test.topology.promoteSecond();
    const replies = await client.replies(count, 5000);
    assert.equal(replies.at(-1), count);
    assert.equal(client.socket.writableLength, 0);
  });

  it("holds no more than 64 MiB of all clients together, and loses nothing", async () => {
    const clients = await Promise.all(Array.from({ length: 90 }, () => test.client()));
    await test.loseMaster();
    const value = "x".repeat(mebi - 100);
    for (const [i, client] of clients.entries()) client.send("SET", `k${i}`, value);
    await test.settled();
    const bytes = await test.proxy.metric("redis_ha_proxy_held_bytes");
    assert.ok(bytes > 32 * mebi && bytes <= 66 * mebi, `${bytes} bytes held`);
    test.topology.promoteSecond();
    for (const client of clients) assert.equal(await client.reply(5000), "+OK");
    assert.equal(test.second.executed.length, clients.length);
  });

  it("stops reading from a client that doesn't read, and gives it every reply when it does", async () => {
    const [slow, other] = [await test.client(), await test.client()];
    test.first.data.set("k", "x".repeat(4096));
    slow.socket.pause();
    const get = frameCommand(["GET", "k"]);
    let count = 0;
    // More and more, until nothing more arrives: its replies are in the kernel's buffers and in the proxy.
    for (let standing = 0; standing < 3; ) {
      assert.ok(count < 50_000, "all of them were read");
      const before = test.first.log.length;
      slow.socket.write(get.repeat(100));
      count += 100;
      await test.settled();
      await other.call("EXISTS warm-up");
      const gets = test.first.log.slice(before).filter(({ text }) => text === "GET k").length;
      standing = gets === 0 ? standing + 1 : 0;
    }
    assert.equal(await other.call("STRLEN k"), 4096);
    slow.socket.resume();
    const replies = await slow.rawReplies(count, 8000);
    assert.deepEqual(odd(replies), []);
  });

  it("gives a client that reads every reply to a long pipeline, however many bytes those are in all", async () => {
    const client = await test.client();
    test.first.data.set("k", "x".repeat(4096));
    const count = 10_000;
    client.socket.write(frameCommand(["GET", "k"]).repeat(count));
    const replies = await client.rawReplies(count, 8000);
    assert.deepEqual(odd(replies), []);
  });

  it("gives a client that reads only after it has sent a long pipeline all of it", async () => {
    const client = await test.client();
    test.first.data.set("k", "x".repeat(4096));
    client.socket.pause();
    const count = 10_000;
    const { promise: sent, resolve } = Promise.withResolvers<void>();
    client.socket.write(frameCommand(["GET", "k"]).repeat(count), () => resolve());
    await sent;
    client.socket.resume();
    const replies = await client.rawReplies(count, 8000);
    assert.deepEqual(odd(replies), []);
  });

  it("gives a client that half-closes its connection the answers to what it sent, and then ends", async () => {
    const client = await test.client();
    const gate = Promise.withResolvers<void>();
    test.first.once(/^INCR/, waitsFor(gate.promise));
    client.pipeline("INCR a", "GET a");
    client.socket.end();
    await eventually(() => assert.ok(test.first.arrived.includes("INCR a")));
    gate.resolve();
    assert.deepEqual(await client.replies(2), [1, "1"]);
    await client.gone();
  });

  it("answers a script that sends all at once and closes its side, like `printf | nc`", async () => {
    for (const commands of [
      ["INCR a"],
      ["MULTI", "INCR a", "EXEC"],
      ["SELECT 1", "INCR b", "SELECT 0", "GET a"],
    ]) {
      const client = await test.newcomer();
      client.pipeline(...commands);
      client.socket.end();
      assert.equal((await client.replies(commands.length)).length, commands.length);
      await client.gone();
    }
    assert.equal(test.first.data.text("a"), "2");
  });

  it("passes on what a client that leaves had in flight to nobody", async () => {
    const [leaver, other] = [await test.client(), await test.client()];
    const gate = Promise.withResolvers<void>();
    test.first.once(/^GET a/, waitsFor(gate.promise));
    test.first.data.set("a", "secret");
    leaver.send("GET a");
    await eventually(() => assert.ok(test.first.arrived.includes("GET a")));
    other.send("GET b");
    leaver.destroy();
    await test.settled();
    gate.resolve();
    assert.equal(await other.reply(), null);
    assert.deepEqual(other.unread, []);
  });

  it("holds a big value's upload back from nobody: others are answered meanwhile", async () => {
    const [big, other] = [await test.client(), await test.client()];
    const frame = frameCommand(["SET", "big", "x".repeat(8 * mebi)]);
    big.socket.write(frame.slice(0, 5 * mebi));
    for (let i = 1; i <= 5; i++) assert.equal(await other.call("INCR a"), i);
    big.socket.write(frame.slice(5 * mebi));
    assert.equal(await big.reply(4000), "+OK");
    assert.equal(await other.call("STRLEN big"), 8 * mebi);
  });
});

describe("the proxy, a limit of what clients may leave unread", () => {
  const test = useProxy({ limits: { unreadBytesInAll: 32 * mebi } });

  it("drops a reader whose replies don't fit, and no one else notices", async () => {
    const [slow, other] = [await test.client(), await test.client()];
    test.first.data.set("big", "x".repeat(mebi));
    slow.socket.pause();
    slow.pipeline(...Array.from({ length: 100 }, () => "GET big"));
    for (let i = 1; i <= 20; i++) assert.equal(await other.call("INCR a"), i);
    // It learns of it when it reads.
    slow.socket.resume();
    await slow.gone(5000);
    assert.ok(slow.unread.length < 100);
  });
});

describe("the proxy, a limit of clients", () => {
  const test = useProxy({ maxClients: 4 });

  it("tells the one too many why and serves those that are there; who leaves makes room", async () => {
    const clients = [await test.client(), await test.client(), await test.client()];
    const late = await test.newcomer();
    await late.gone();
    assert.deepEqual(late.unread, ["-ERR max number of clients reached"]);
    for (const [i, client] of clients.entries()) assert.equal(await client.call("INCR a"), i + 1);
    clients[0]?.destroy();
    await eventually(async () => {
      const next = await test.newcomer();
      try {
        assert.equal(await next.call("EXISTS b"), 0);
      } finally {
        next.destroy();
      }
    });
  });
});
