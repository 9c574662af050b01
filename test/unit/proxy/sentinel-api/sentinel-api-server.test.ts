import assert from "node:assert/strict";
import { createConnection } from "node:net";
import fc from "fast-check";
import type { Authenticate } from "../../../../proxy/sentinel-api/client-session.ts";
import { SentinelApiServer } from "../../../../proxy/sentinel-api/sentinel-api-server.ts";
import { eventually } from "../../../support/eventually.ts";
import { RawClient } from "../../../support/raw-tcp.ts";
import { exampleView } from "./example-view.ts";

describe("SentinelApiServer", () => {
  let server: SentinelApiServer | undefined;
  const clients: RawClient[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) client.socket.destroy();
    await server?.close();
  });

  async function start(
    options: { authenticate?: Authenticate; maxClients?: number; patienceMs?: number } = {},
  ): Promise<SentinelApiServer> {
    server = new SentinelApiServer({
      host: "127.0.0.1",
      port: 0,
      maxClients: 100,
      view: exampleView,
      authenticate: undefined,
      redisVersion: () => "7.0.15",
      report: assert.ifError,
      ...options,
    });
    await server.listen();
    return server;
  }

  async function connect(): Promise<RawClient> {
    const client = await RawClient.connect(server?.port ?? 0);
    clients.push(client);
    return client;
  }

  function gets(client: RawClient, text: string): Promise<void> {
    return eventually(() => assert.equal(client.received, text));
  }

  it("answers what comes in one packet, and what comes byte by byte, in order", async () => {
    await start();
    const [fast, slow] = [await connect(), await connect()];
    const bytes = "*1\r\n$4\r\nPING\r\nECHO a\r\nHELLO 9\r\n*2\r\n$4\r\nECHO\r\n$1\r\nb\r\n";
    const answers = "+PONG\r\n$1\r\na\r\n-NOPROTO unsupported protocol version\r\n$1\r\nb\r\n";
    fast.socket.write(bytes);
    for (const byte of bytes) slow.socket.write(byte);
    await gets(fast, answers);
    await gets(slow, answers);
  });

  it("answers a client that has ended its side already", async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    await start({ authenticate: () => promise });
    const client = await connect();
    client.socket.end("AUTH x\r\nPING\r\n");
    await eventually(() => assert.equal(server?.clients, 1));
    resolve(true);
    await gets(client, "+OK\r\n+PONG\r\n");
    await eventually(() => assert.ok(client.ended));
  });

  it("answers nothing that follows AUTH before the password is checked", async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    let asked = 0;
    await start({
      authenticate: () => {
        asked++;
        return promise;
      },
    });
    const client = await connect();
    client.socket.write("PING\r\nAUTH x\r\nPING\r\n");
    await eventually(() => assert.equal(asked, 1));
    client.socket.write("ROLE\r\n");
    const other = await connect();
    other.socket.write("PING\r\n");
    await gets(other, "-NOAUTH Authentication required.\r\n");
    assert.equal(client.received, "-NOAUTH Authentication required.\r\n");
    resolve(true);
    await eventually(() =>
      assert.match(client.received, /required\.\r\n\+OK\r\n\+PONG\r\n\*2\r\n\$8\r\nsentinel/),
    );
  });

  it("closes with an error on bytes that are no command, and nobody else notices", async () => {
    await start();
    const [bad, good] = [await connect(), await connect()];
    bad.socket.write("PING\r\n*1\r\n$99999999\r\n");
    await gets(bad, "+PONG\r\n-ERR Protocol error: invalid bulk length\r\n");
    await eventually(() => assert.ok(bad.ended));
    good.socket.write("PING\r\n");
    await gets(good, "+PONG\r\n");
  });

  it("survives hostile bytes beside a client that notices nothing", async () => {
    const one = await start();
    const good = await connect();
    const line = fc.constantFrom(
      ...[
        "*",
        "$",
        "*1\r\n",
        "$4\r\n",
        "*2\r\n$4\r\nPING\r\n",
        "$-1\r\n",
        "*-1\r\n",
        "\r\n",
        "\0",
        ":1\r\n",
        "%1\r\n",
      ],
      ...[
        "HELLO 3\r\n",
        "HELLO 3 AUTH\r\n",
        "SUBSCRIBE a\r\n",
        "PSUBSCRIBE [\r\n",
        "RESET\r\n",
        "SENTINEL\r\n",
      ],
      ...[
        "SENTINEL MASTERS\r\n",
        "CLIENT LIST\r\n",
        "COMMAND\r\n",
        "INFO\r\n",
        "UNSUBSCRIBE\r\n",
        '"\\x',
        "QUIT\r\n",
      ],
    );
    const noise = fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
    const stream = fc.array(fc.oneof(line, noise), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(stream, async (parts) => {
        const bad = createConnection({ host: "127.0.0.1", port: one.port, allowHalfOpen: true });
        bad.on("error", () => undefined).resume();
        const closed = new Promise((resolve) => {
          bad.once("close", () => resolve(undefined));
        });
        for (const part of parts) bad.write(part, "latin1");
        bad.end();
        await closed;
      }),
      { numRuns: 300, seed: 4, endOnFailure: true },
    );
    good.socket.write("PING\r\n");
    await gets(good, "+PONG\r\n");
    await eventually(() => assert.equal(one.clients, 1));
  });

  it("takes commands up to 64 KiB", async () => {
    await start();
    const [fits, tooBig] = [await connect(), await connect()];
    const text = "x".repeat(65_000);
    fits.socket.write(`*2\r\n$4\r\nECHO\r\n$65000\r\n${text}\r\n`);
    await gets(fits, `$65000\r\n${text}\r\n`);
    tooBig.socket.write("x".repeat(66_000));
    await gets(tooBig, "-ERR Protocol error: too big inline request\r\n");
  });

  it("drops a client that doesn't finish its command, though it sends a byte now and then", async () => {
    await start({ patienceMs: 300 });
    const [slow, idle] = [await connect(), await connect()];
    const drip = setInterval(() => slow.socket.write("x"), 20);
    try {
      await eventually(() => assert.ok(slow.closed || slow.ended));
    } finally {
      clearInterval(drip);
    }
    idle.socket.write("PING\r\n");
    await gets(idle, "+PONG\r\n");
  });

  it("drops a client that doesn't authenticate itself, whatever else it says", async () => {
    await start({ patienceMs: 300, authenticate: async (_user, password) => password === "secret" });
    const [known, stranger] = [await connect(), await connect()];
    known.socket.write("AUTH secret\r\n");
    const talk = setInterval(() => stranger.socket.write("PING\r\n"), 20);
    try {
      await eventually(() => assert.ok(stranger.closed || stranger.ended));
    } finally {
      clearInterval(talk);
    }
    known.socket.write("PING\r\n");
    await gets(known, "+OK\r\n+PONG\r\n");
  });

  it("stops to answer a client that doesn't read, then drops it, and goes on with one that does", async () => {
    const one = await start({ patienceMs: 500 });
    const [deaf, reader] = [await connect(), await connect()];
    deaf.socket.pause();
    const count = 20_000;
    const block = "SENTINEL MASTERS\r\n".repeat(count);
    deaf.socket.write(block);
    reader.socket.write(block);
    const answer = "parallel-syncs\r\n$1\r\n2\r\n";
    await eventually(() => assert.equal(reader.received.split(answer).length - 1, count));
    await eventually(() => assert.equal(one.clients, 1));
    deaf.socket.resume();
    await eventually(() => assert.ok(deaf.closed || deaf.ended));
    const answered = deaf.received.split(answer).length - 1;
    assert.ok(answered > 0 && answered < count, `${answered} of ${count} were answered`);
  }).timeout(15_000);

  it("drops a subscriber that leaves 1 MiB unread", async () => {
    const one = await start();
    const [deaf, reader] = [await connect(), await connect()];
    for (const client of [deaf, reader]) client.socket.write("SUBSCRIBE +switch-master\r\n");
    await eventually(() => assert.match(deaf.received + reader.received, /subscribe.*subscribe/s));
    deaf.socket.pause();
    // More than what the kernel's buffers of both ends take.
    await eventually(
      () => {
        for (let i = 0; i < 1000; i++) one.publishSwitchMaster();
        assert.equal(one.clients, 1);
      },
      { everyMs: 5, withinMs: 10_000 },
    );
    reader.socket.write("PING\r\n");
    await eventually(() => assert.match(reader.received, /pong\r\n\$0\r\n\r\n$/));
  }).timeout(15_000);

  it("tells subscribers of +switch-master, by name and by pattern, when it is told to", async () => {
    const one = await start();
    const subscribers = new Map([
      ["SUBSCRIBE +switch-master", /^\*3\r\n\$7\r\nmessage\r\n\$14\r\n\+switch-master\r\n\$\d+\r\n(.*)\r\n$/],
      [
        "PSUBSCRIBE *",
        /^\*4\r\n\$8\r\npmessage\r\n\$1\r\n\*\r\n\$14\r\n\+switch-master\r\n\$\d+\r\n(.*)\r\n$/,
      ],
      [
        "HELLO 3\r\nSUBSCRIBE +switch-master",
        /^>3\r\n\$7\r\nmessage\r\n\$14\r\n\+switch-master\r\n\$\d+\r\n(.*)\r\n$/,
      ],
    ]);
    const waiting: [RawClient, RegExp][] = [];
    for (const [line, expected] of subscribers) {
      const client = await connect();
      client.socket.write(`${line}\r\n`);
      await eventually(() => assert.match(client.received, /subscribe\r\n.*:1\r\n$/s));
      client.received = "";
      waiting.push([client, expected]);
    }
    const other = await connect();
    one.publishSwitchMaster({ host: "elsewhere", port: 1 });
    for (const [client, expected] of waiting) {
      await eventually(() => assert.match(client.received, expected));
      const [, message] = expected.exec(client.received) ?? [];
      assert.equal(message, "mymaster proxy.example 6379 elsewhere 1");
    }
    other.socket.write("PING\r\n");
    await gets(other, "+PONG\r\n");
  });

  it("refuses clients above its limit, and takes new ones when others have gone", async () => {
    const one = await start({ maxClients: 1 });
    const first = await connect();
    await eventually(() => assert.equal(one.clients, 1));
    const second = await connect();
    await gets(second, "-ERR max number of clients reached\r\n");
    await eventually(() => assert.ok(second.closed || second.ended));
    first.socket.destroy();
    await eventually(() => assert.equal(one.clients, 0));
    const third = await connect();
    third.socket.write("PING\r\n");
    await gets(third, "+PONG\r\n");
  });

  it("ends its clients when it is closed, and takes no new one", async () => {
    const one = await start();
    const client = await connect();
    client.socket.write("PING\r\n");
    await gets(client, "+PONG\r\n");
    const { port } = one;
    await one.close();
    await eventually(() => assert.ok(client.ended));
    const late = await RawClient.connect(port);
    clients.push(late);
    await eventually(() => assert.match(String(late.error), /ECONNREFUSED/));
  });

  it("says when its port is taken", async () => {
    const { port } = await start();
    const second = new SentinelApiServer({
      host: "127.0.0.1",
      port,
      maxClients: 1,
      view: exampleView,
      authenticate: undefined,
      redisVersion: () => "7.0.15",
      report: assert.ifError,
    });
    await assert.rejects(second.listen(), /EADDRINUSE/);
  });
});
