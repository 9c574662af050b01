import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { eventually } from "../support/eventually.ts";
import { waitsFor } from "../support/fake-redis-faults.ts";
import { FakeTopology } from "../support/fake-topology.ts";
import { ProxyProcess } from "../support/proxy-process.ts";
import { freePort } from "../support/redis-process.ts";
import { RespClient } from "../support/resp-client.ts";

const workers = 2;

/** The processes that a process has started. */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim().split(" ").filter(Boolean).map(Number);
}

describe("a proxy with two workers", () => {
  let topology: FakeTopology;
  let proxy: ProxyProcess;
  let sentinelPort: number;
  beforeEach(async () => {
    topology = await FakeTopology.start();
    sentinelPort = await freePort();
    proxy = await ProxyProcess.start(topology, {
      environment: { PROXY_WORKERS: String(workers), PROXY_SENTINEL_PORT: String(sentinelPort) },
    });
  });
  afterEach(async () => {
    await proxy.kill();
    await topology.stop();
  });

  /** Clients, until both workers have some. */
  async function clientsOfBoth(): Promise<RespClient[]> {
    const clients: RespClient[] = [];
    await eventually(async () => {
      const client = await proxy.client();
      clients.push(client);
      await client.call(`GET of-${clients.length}`);
      const carriers = new Set(clients.map((_, i) => topology.first.connectionOf(`GET of-${i + 1}`)));
      assert.equal(carriers.size, workers);
    });
    return clients;
  }

  it("spreads its clients over both, and counts them together", async () => {
    const clients = await clientsOfBoth();
    await eventually(async () => assert.equal(await proxy.metric("redis_ha_proxy_clients"), clients.length));
    assert.equal(await proxy.metric("redis_ha_proxy_upstreams"), workers * 1);
    assert.equal(await proxy.metric("redis_ha_proxy_following"), 1);
    assert.equal(await proxy.metric("redis_ha_proxy_sentinels_reachable"), 3);
    assert.equal(await proxy.metric("redis_ha_proxy_config_epoch"), 1);
  });

  it("starts a worker again that has ended; the other one's clients notice nothing", async () => {
    const clients = await clientsOfBoth();
    const [victim = 0] = childrenOf(proxy.pid);
    process.kill(victim, "SIGKILL");
    await eventually(() => assert.ok(clients.some((client) => !client.isOpen)));
    const others = clients.filter((client) => client.isOpen);
    assert.ok(others.length > 0);
    for (const client of others) assert.equal(typeof (await client.call("INCR n")), "number");
    await eventually(
      async () => {
        assert.equal(childrenOf(proxy.pid).length, workers);
        assert.ok(!childrenOf(proxy.pid).includes(victim));
        assert.equal(await proxy.health("/readyz"), 200);
      },
      { withinMs: 8000 },
    );
    await clientsOfBoth();
  });

  it("isn't ready while one of them is stuck, and says which", async () => {
    const [, stuck = 0] = childrenOf(proxy.pid);
    process.kill(stuck, "SIGSTOP");
    const text = await (await fetch(`http://127.0.0.1:${proxy.adminPort}/readyz`)).text();
    process.kill(stuck, "SIGCONT");
    assert.match(text, /^worker \d of 2: no answer/);
    await eventually(async () => assert.equal(await proxy.health("/readyz"), 200));
  });

  it("follows a failover in both, and counts it once", async () => {
    const clients = await clientsOfBoth();
    topology.promoteSecond();
    for (const client of clients) await client.call("INCR n");
    await eventually(async () => assert.equal(await proxy.metric("redis_ha_proxy_failovers_total"), 1));
  });

  it("answers Sentinel clients in both", async () => {
    for (let i = 0; i < 8; i++) {
      const client = await RespClient.connect(sentinelPort);
      assert.equal(await client.call("PING"), "+PONG");
      client.destroy();
    }
  });

  it("drains both, and ends with exit code 0 when the last command is answered", async () => {
    const clients = await clientsOfBoth();
    const gate = Promise.withResolvers<void>();
    topology.first.once(/^INCR slow/, waitsFor(gate.promise));
    const [slow] = clients;
    assert.ok(slow);
    slow.send("INCR slow");
    await eventually(() => assert.ok(topology.first.arrived.includes("INCR slow")));
    const pids = childrenOf(proxy.pid);
    const code = proxy.terminate();
    await eventually(async () => assert.equal(await proxy.health("/readyz"), 503));
    assert.ok(slow.isOpen);
    gate.resolve();
    assert.equal(await slow.reply(), 1);
    assert.equal(await code, 0);
    for (const client of clients) assert.equal(client.error, undefined);
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), /ESRCH/);
  });

  it("takes new clients in both for the delay after SIGTERM, then drains; a signal to the whole group is one signal", async () => {
    const leaving = await ProxyProcess.start(topology, {
      environment: { PROXY_WORKERS: String(workers), PROXY_STOP_DELAY_MS: "700" },
    });
    try {
      const pids = childrenOf(leaving.pid);
      const begin = performance.now();
      const code = leaving.terminate();
      for (const pid of pids) process.kill(pid, "SIGTERM");
      let came = 0;
      for (; performance.now() - begin < 500; came++) {
        const client = await leaving.client();
        assert.equal(typeof (await client.call("INCR came")), "number");
        assert.equal(await leaving.health("/readyz"), 200);
      }
      assert.ok(came > 3, `${came} came`);
      assert.equal(await code, 0);
      assert.ok(performance.now() - begin > 690);
      for (const pid of pids) assert.throws(() => process.kill(pid, 0), /ESRCH/);
    } finally {
      await leaving.kill();
    }
  });

  it("leaves no worker behind when the process that has started them is killed", async () => {
    const pids = childrenOf(proxy.pid);
    assert.equal(pids.length, workers);
    process.kill(proxy.pid, "SIGKILL");
    await eventually(() => {
      for (const pid of pids) assert.throws(() => process.kill(pid, 0), /ESRCH/);
    });
  });
});
