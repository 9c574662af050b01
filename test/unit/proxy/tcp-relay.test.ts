import assert from "node:assert/strict";
import { connect } from "node:net";
import { pino } from "pino";
import { TcpRelay, type TcpRelayOptions } from "../../../proxy/tcp-relay.ts";
import { eventually } from "../../support/eventually.ts";
import { RawClient, RawServer } from "../../support/raw-tcp.ts";
import { freePort } from "../../support/redis-process.ts";

describe("TcpRelay", () => {
  let masters: [RawServer, RawServer];
  let relay: TcpRelay;
  let port: number;
  let problems: number;
  const clients: RawClient[] = [];

  beforeEach(async () => {
    masters = [await new RawServer().start(), await new RawServer().start()];
    await listen();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.socket.destroy();
    relay.destroy();
    await relay.close();
    for (const master of masters) await master.stop();
  });

  async function listen(options: Partial<TcpRelayOptions> = {}): Promise<void> {
    port = await freePort();
    problems = 0;
    relay = new TcpRelay({
      host: "127.0.0.1",
      port,
      maxClients: 100,
      holdTimeoutMs: 30_000,
      log: pino({ level: "silent" }),
      onUpstreamProblem: () => problems++,
      ...options,
    });
    await relay.listen();
  }
  async function client(): Promise<RawClient> {
    const made = await RawClient.connect(port);
    clients.push(made);
    return made;
  }
  const follow = (master: RawServer, configEpoch = 1) =>
    relay.follow({ kind: "following", master: master.address, configEpoch });
  const lose = () => relay.follow({ kind: "searching", reason: "gone" });
  const suspect = (master: RawServer) =>
    relay.follow({
      kind: "searching",
      reason: "no answer",
      suspect: { master: master.address, configEpoch: 1, failures: 1, sinceMs: 0 },
    });
  /** A client whose first bytes have arrived at the master. */
  async function served(master: RawServer): Promise<RawClient> {
    const made = await client();
    const before = master.received.length;
    made.socket.write("hello;");
    await eventually(() => assert.ok(master.received.length > before));
    return made;
  }
  const got = (master: RawServer, text: string) => eventually(() => assert.equal(master.received, text));

  describe("with a master", () => {
    beforeEach(() => follow(masters[0]));

    it("passes bytes on, both ways", async () => {
      const one = await served(masters[0]);
      masters[0].send("world;");
      await eventually(() => assert.equal(one.received, "world;"));
      assert.equal(relay.clients, 1);
    });

    it("passes on megabytes to a reader that is slow to begin, whole", async () => {
      const one = await served(masters[0]);
      one.socket.pause();
      const big = "0123456789abcdef".repeat(2 ** 18);
      masters[0].send(big);
      one.socket.resume();
      await eventually(() => assert.equal(one.received.length, big.length));
      assert.ok(one.received === big);
    });

    it("gives a client that half-closes its connection the answer to what it sent", async () => {
      masters[0].endsWithClient = false;
      const one = await client();
      one.socket.end("last words;");
      await got(masters[0], "last words;");
      masters[0].send("answer;");
      await eventually(() => assert.equal(one.received, "answer;"));
    });

    it("ends the client's connection in order when the master ends it, and asks for a look", async () => {
      const one = await served(masters[0]);
      for (const socket of masters[0].sockets) socket.end("bye;");
      await eventually(() => assert.ok(one.ended));
      assert.equal(one.received, "bye;");
      await eventually(() => assert.ok(problems > 0));
    });

    it("forgets a client that leaves, and its upstream", async () => {
      const one = await served(masters[0]);
      one.socket.destroy();
      await eventually(() => assert.equal(relay.clients, 0));
      await eventually(() => assert.ok(masters[0].sockets.every(({ destroyed }) => destroyed)));
    });

    it("refuses one client too many and serves those that are there", async () => {
      relay.destroy();
      await relay.close();
      await listen({ maxClients: 1 });
      follow(masters[0]);
      const one = await served(masters[0]);
      const two = await client();
      await eventually(() => assert.ok(two.closed || two.ended));
      masters[0].send("still;");
      await eventually(() => assert.equal(one.received, "still;"));
    });
  });

  describe("in a failover", () => {
    beforeEach(() => follow(masters[0]));

    it("cuts the clients of the old master when there is a new one, and nobody else", async () => {
      const old = await served(masters[0]);
      follow(masters[1], 2);
      const fresh = await served(masters[1]);
      await eventually(() => assert.ok(old.closed || old.ended || old.error));
      follow(masters[1], 3);
      masters[1].send("yes;");
      await eventually(() => assert.equal(fresh.received, "yes;"));
      assert.equal(masters[0].received, "hello;");
    });

    it("cuts them when the master is lost", async () => {
      const old = await served(masters[0]);
      lose();
      await eventually(() => assert.ok(old.closed || old.ended || old.error));
      await eventually(() => assert.equal(relay.clients, 0));
    });

    it("keeps the clients of a master that is only suspected, and holds new ones", async () => {
      const old = await served(masters[0]);
      suspect(masters[0]);
      const held = await client();
      held.socket.write("held;");
      masters[0].send("still there;");
      await eventually(() => assert.equal(old.received, "still there;"));
      assert.equal(masters[0].received, "hello;");
      follow(masters[0]);
      await got(masters[0], "hello;held;");
      assert.ok(!old.closed && !old.ended);
    });

    it("goes on holding when a suspected master turns out to be lost", async () => {
      suspect(masters[0]);
      const held = await client();
      held.socket.write("held;");
      await eventually(() => assert.equal(relay.clients, 1));
      lose();
      follow(masters[1], 2);
      await got(masters[1], "held;");
    });
  });

  describe("without a master", () => {
    it("holds a client and its bytes in order until there is one", async () => {
      const one = await client();
      one.socket.write("a;");
      one.socket.write("b;");
      await eventually(() => assert.equal(relay.clients, 1));
      follow(masters[0]);
      await got(masters[0], "a;b;");
      one.socket.write("c;");
      await got(masters[0], "a;b;c;");
      masters[0].send("answer;");
      await eventually(() => assert.equal(one.received, "answer;"));
    });

    it("holds more than its buffer takes: the rest waits with the client", async () => {
      const one = await client();
      const big = "0123456789abcdef".repeat(2 ** 18);
      one.socket.write(big);
      await eventually(() => assert.equal(relay.clients, 1));
      follow(masters[0]);
      await eventually(() => assert.equal(masters[0].received.length, big.length));
      assert.ok(masters[0].received === big);
    });

    for (const [name, leave] of [
      ["closes its connection", (one: RawClient) => one.socket.end("SET late 1;")],
      ["is killed", (one: RawClient) => one.socket.write("SET late 1;", () => one.socket.resetAndDestroy())],
    ] as const) {
      it(`never executes what a client sent that ${name} meanwhile`, async () => {
        const gone = await client();
        const stays = await client();
        stays.socket.write("stays;");
        await eventually(() => assert.equal(relay.clients, 2));
        leave(gone);
        await eventually(() => assert.equal(relay.clients, 1));
        follow(masters[0]);
        await got(masters[0], "stays;");
        assert.equal(masters[0].sockets.length, 1);
      });
    }

    it("holds a client whose master refuses connections, and then serves it by the next", async () => {
      await masters[0].stop();
      const address = { host: "127.0.0.1", port: await freePort() };
      relay.follow({ kind: "following", master: address, configEpoch: 1 });
      const one = await client();
      one.socket.write("patient;");
      await eventually(() => assert.ok(problems > 0));
      follow(masters[1], 2);
      await got(masters[1], "patient;");
    });

    it("tells a client in the end that nothing was executed", async () => {
      relay.destroy();
      await relay.close();
      await listen({ holdTimeoutMs: 100 });
      const one = await client();
      one.socket.write("SET k v;");
      await eventually(() => assert.ok(one.ended));
      assert.match(one.received, /^-LOADING no master available: the command was not executed/);
      follow(masters[0]);
      await eventually(() => assert.equal(relay.clients, 0));
      assert.equal(masters[0].received, "");
    });
  });

  describe("while it drains", () => {
    beforeEach(() => follow(masters[0]));

    it("lets a reply that is on its way finish before it ends the connection", async () => {
      const one = await served(masters[0]);
      const closed = relay.close();
      assert.equal(await settles(closed, 300), false);
      assert.ok(!one.ended);
      masters[0].send("part 1;");
      masters[0].send("part 2;");
      await eventually(() => assert.ok(one.ended));
      assert.equal(one.received, "part 1;part 2;");
      one.socket.end();
      await closed;
      assert.equal(one.error, undefined);
    });

    it("ends an idle client at once, in order", async () => {
      const idle = await served(masters[0]);
      masters[0].send("+OK;");
      await eventually(() => assert.equal(idle.received, "+OK;"));
      const silent = await client();
      await eventually(() => assert.equal(masters[0].sockets.length, 2));
      const begin = performance.now();
      await Promise.all([
        relay.close(),
        eventually(() => assert.ok(idle.ended && silent.ended)).then(() => {
          idle.socket.end();
          silent.socket.end();
        }),
      ]);
      assert.ok(performance.now() - begin < 1000);
      assert.equal(idle.error ?? silent.error, undefined);
    });

    it("passes on nothing that comes after it began", async () => {
      const one = await served(masters[0]);
      const closed = relay.close();
      one.socket.write("too late;");
      masters[0].send("answer;");
      await eventually(() => assert.ok(one.ended));
      one.socket.end();
      await closed;
      assert.equal(one.received, "answer;");
      assert.equal(masters[0].received, "hello;");
    });

    it("ends a client that doesn't close its side", async () => {
      const one = await served(masters[0]);
      masters[0].send("+OK;");
      await eventually(() => assert.equal(one.received, "+OK;"));
      assert.equal(await settles(relay.close(), 4000), true);
    });

    it("ends a client that it holds", async () => {
      lose();
      const held = await client();
      held.socket.write("held;");
      await eventually(() => assert.equal(relay.clients, 1));
      assert.equal(await settles(relay.close(), 4000), true);
      assert.ok(held.ended || held.closed);
    });

    it("lets a slow reader have everything that the master sent", async () => {
      const one = await served(masters[0]);
      one.socket.pause();
      const big = "0123456789abcdef".repeat(2 ** 20);
      masters[0].send(big);
      const closed = relay.close();
      assert.equal(await settles(closed, 300), false);
      one.socket.resume();
      await eventually(() => assert.ok(one.ended));
      assert.equal(one.received.length, big.length);
      one.socket.end();
      await closed;
    });

    it("takes no new client", async () => {
      await served(masters[0]);
      const closed = relay.close();
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      connect({ host: "127.0.0.1", port })
        .once("error", (error: NodeJS.ErrnoException) => resolve(error.code))
        .once("connect", () => resolve("connected"));
      assert.equal(await promise, "ECONNREFUSED");
      relay.destroy();
      await closed;
    });

    it("is ended by force", async () => {
      await served(masters[0]);
      const closed = relay.close();
      assert.equal(await settles(closed, 200), false);
      relay.destroy();
      await closed;
    });
  });
});

/** Whether a promise settles within a time. */
async function settles(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: elapsed, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  const settled = await Promise.race([promise.then(() => true), elapsed]);
  clearTimeout(timer);
  return settled;
}
