import assert from "node:assert/strict";
import { askRole } from "../../../quorum/ask-role.ts";
import { askSentinel } from "../../../quorum/ask-sentinel.ts";
import { ControlConnection } from "../../../quorum/control-connection.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeRedis } from "../../support/fake-redis.ts";
import { answers } from "../../support/fake-redis-faults.ts";
import { FakeSentinel } from "../../support/fake-sentinel.ts";
import { RawServer } from "../../support/raw-tcp.ts";
import { freePort, RedisProcess } from "../../support/redis-process.ts";

const master = { host: "127.0.0.1", port: 6379 };

/** As if it had no processor for so long, ms. */
function pauseProcess(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Port and arguments of a redis-server. */
async function plainRedis(): Promise<[number, string[]]> {
  const port = await freePort();
  return [port, ["--port", String(port), "--save", "", "--bind", "127.0.0.1"]];
}

describe("ControlConnection", () => {
  let sentinel: FakeSentinel;
  let password: string | undefined;
  let connection: ControlConnection;

  beforeEach(async () => {
    password = undefined;
    sentinel = await new FakeSentinel(master).start();
    connection = new ControlConnection({
      address: sentinel.address,
      password: () => password,
      timeoutMs: 100,
    });
  });
  afterEach(async () => {
    connection.close();
    await sentinel.stop();
  });

  const ask = () => askSentinel(connection, "mymaster");

  it("asks over one connection", async () => {
    for (let i = 0; i < 3; i++) assert.deepEqual((await ask()).master, master);
    assert.equal(sentinel.connections, 1);
  });

  it("names the address when nobody listens, and works again when somebody does", async () => {
    await sentinel.stop();
    await assert.rejects(ask(), new RegExp(`127.0.0.1:${sentinel.port}: .*ECONNREFUSED`));
    await sentinel.start();
    assert.equal((await ask()).configEpoch, 1);
  });

  it("takes nobody for silent who has answered while this process was paused", async () => {
    const redis = await RedisProcess.start(...(await plainRedis()));
    const paused = new ControlConnection({
      address: { host: "127.0.0.1", port: redis.port },
      timeoutMs: 100,
    });
    try {
      assert.equal(await paused.call("PING"), "PONG");
      const question = paused.call("PING");
      // The question leaves first; the answer is there long before the pause is over.
      await new Promise(setImmediate);
      pauseProcess(400);
      assert.equal(await question, "PONG");
      paused.close();
      const first = paused.call("PING");
      pauseProcess(400);
      assert.equal(await first, "PONG");
    } finally {
      paused.close();
      await redis.kill();
    }
  });

  it("opens a new connection after the other side closed it", async () => {
    await ask();
    sentinel.disconnectAll();
    await eventually(async () => assert.equal((await ask()).configEpoch, 1), { withinMs: 1000 });
  });

  it("ends at once when it is closed, although a frozen peer closes nothing itself", async () => {
    const server = await new RawServer().start();
    server.endsWithClient = false;
    const frozen = new ControlConnection({ address: server.address, timeoutMs: 2000 });
    const question = frozen.call("ROLE");
    await eventually(() => assert.match(server.received, /ROLE/i));
    const begin = performance.now();
    frozen.close();
    await assert.rejects(question, /the connection was closed/);
    assert.ok(performance.now() - begin < 50);
    await server.stop();
  });

  it("gives up on a frozen peer in time and never takes a late answer for a new one", async () => {
    await ask();
    sentinel.freeze();
    const begin = performance.now();
    await assert.rejects(ask(), /127\.0\.0\.1:\d+: /);
    assert.ok(performance.now() - begin < 400);
    sentinel.names({ host: "127.0.0.1", port: 6380 }, 2);
    sentinel.thaw();
    assert.equal((await ask()).configEpoch, 2);
  });

  it("gives up on a peer that accepts the connection and says nothing", async () => {
    sentinel.freeze();
    const begin = performance.now();
    await assert.rejects(ask());
    assert.ok(performance.now() - begin < 400);
  });

  for (const garbage of [
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    "\0\0\0\0",
    "*-7\r\n",
    "$5\r\nhello\r\n",
    "*0\r\n",
  ]) {
    it(`fails on the garbage ${JSON.stringify(garbage)}, and then recovers`, async () => {
      sentinel.garbage = garbage;
      await assert.rejects(ask());
      sentinel.garbage = undefined;
      await eventually(async () => assert.equal((await ask()).configEpoch, 1), { withinMs: 2000 });
    });
  }

  for (const epoch of [-1, 1.5, Number.NaN, 2 ** 60]) {
    it(`refuses the epoch ${epoch}`, async () => {
      sentinel.configEpoch = epoch;
      await assert.rejects(ask(), /epoch/);
    });
  }

  it("keeps the connection after an error reply: the peer lives", async () => {
    await assert.rejects(connection.call("NONSENSE"), /unknown command/);
    await ask();
    assert.equal(sentinel.connections, 1);
    assert.equal(sentinel.received.length, 3);
  });

  it("takes a password that comes later: NOAUTH ends the connection", async () => {
    sentinel.password = "secret";
    await assert.rejects(ask(), /NOAUTH/);
    password = "secret";
    assert.equal((await ask()).configEpoch, 1);
  });

  it("takes a changed password after WRONGPASS", async () => {
    sentinel.password = "new";
    password = "old";
    await assert.rejects(ask(), /WRONGPASS/);
    password = "new";
    assert.equal((await ask()).configEpoch, 1);
  });

  it("fails like any other question when the password can't be read", async () => {
    const broken = new ControlConnection({
      address: sentinel.address,
      password: () => {
        throw new Error("the password file is gone");
      },
    });
    await assert.rejects(broken.call("PING"), /the password file is gone/);
  });
});

describe("askRole", () => {
  let redis: FakeRedis;
  let connection: ControlConnection;
  beforeEach(async () => {
    redis = await new FakeRedis().start();
    connection = new ControlConnection({ address: redis.address });
  });
  afterEach(async () => {
    connection.close();
    await redis.stop();
  });

  it("tells a master from a replica", async () => {
    assert.deepEqual(await askRole(connection), { kind: "master", offset: 100, replicas: [] });
    redis.role = "slave";
    assert.deepEqual(await askRole(connection), {
      kind: "replica",
      master: { host: "127.0.0.1", port: 1 },
      linkUp: true,
      offset: 100,
    });
  });

  it("takes nothing else for a role: a Sentinel is no Redis", async () => {
    redis.once(/^ROLE/, answers("*2\r\n$8\r\nsentinel\r\n*1\r\n$8\r\nmymaster"));
    await assert.rejects(askRole(connection), /neither a master nor a replica/);
  });
});
