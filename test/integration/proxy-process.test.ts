import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { eventually } from "../support/eventually.ts";
import { waitsFor } from "../support/fake-redis-faults.ts";
import { FakeTopology } from "../support/fake-topology.ts";
import { ProxyProcess } from "../support/proxy-process.ts";
import { freePort } from "../support/redis-process.ts";

describe("the proxy as a process", () => {
  let topology: FakeTopology;
  let proxy: ProxyProcess;
  beforeEach(async () => {
    topology = await FakeTopology.start();
    proxy = await ProxyProcess.start(topology);
  });
  afterEach(async () => {
    await proxy.kill();
    await topology.stop();
  });

  it("stays ready while it holds commands", async () => {
    await topology.first.stop();
    await proxy.holds();
    assert.equal(await proxy.health("/readyz"), 200);
    assert.equal(await proxy.health("/livez"), 200);
  });

  it("closes idle clients in order and ends with exit code 0", async () => {
    const clients = [await proxy.client(), await proxy.client(3)];
    for (const client of clients) await client.call("INCR a");
    const code = proxy.terminate();
    for (const client of clients) await client.gone();
    assert.equal(await code, 0);
    for (const client of clients) {
      assert.equal(client.error, undefined);
      assert.deepEqual(client.unread, []);
    }
  });

  it("isn't ready any more, lives, and takes no new client, while it answers what is in flight", async () => {
    const client = await proxy.client();
    const gate = Promise.withResolvers<void>();
    topology.first.once(/^INCR a/, waitsFor(gate.promise));
    client.pipeline("INCR a", "INCR a");
    await eventually(() => assert.ok(topology.first.arrived.includes("INCR a")));
    const code = proxy.terminate();
    await eventually(async () => assert.equal(await proxy.health("/readyz"), 503));
    assert.equal(await proxy.health("/livez"), 200);
    await eventually(() => refuses(proxy.port));
    assert.ok(client.isOpen);
    gate.resolve();
    assert.deepEqual(await client.replies(2), [1, 2]);
    await client.gone();
    assert.equal(client.error, undefined);
    assert.equal(await code, 0);
  });

  it("takes new clients for the delay after SIGTERM, is ready meanwhile, keeps those it has, and then drains", async () => {
    const leaving = await ProxyProcess.start(topology, { environment: { PROXY_STOP_DELAY_MS: "700" } });
    try {
      const old = await leaving.client();
      const begin = performance.now();
      const code = leaving.terminate();
      let came = 0;
      for (; performance.now() - begin < 500; came++) {
        const client = await leaving.client();
        assert.equal(typeof (await client.call("INCR came")), "number");
        assert.equal(await leaving.health("/readyz"), 200);
      }
      assert.ok(came > 3, `${came} came`);
      assert.equal(typeof (await old.call("INCR came")), "number");
      await old.gone();
      assert.ok(performance.now() - begin > 690);
      assert.equal(old.error, undefined);
      assert.equal(await code, 0);
    } finally {
      await leaving.kill();
    }
  });

  it("drains before the delay is over at a second signal, and at SIGINT", async () => {
    for (const signals of [["SIGTERM", "SIGTERM"], ["SIGINT"]] as const) {
      const leaving = await ProxyProcess.start(topology, { environment: { PROXY_STOP_DELAY_MS: "60000" } });
      try {
        const client = await leaving.client();
        for (const [i, signal] of signals.entries()) {
          process.kill(leaving.pid, signal);
          await eventually(() =>
            assert.equal(leaving.output.match(/asked to end/g)?.length, i + 1, leaving.output),
          );
        }
        await client.gone();
        assert.equal(client.error, undefined);
        await eventually(() => assert.equal(leaving.running, false));
      } finally {
        await leaving.kill();
      }
    }
  });

  it("resets no client that the kernel has connected and the proxy has not seen yet", async () => {
    process.kill(proxy.pid, "SIGSTOP");
    // The kernel connects them to a process that doesn't run.
    const clients = await Promise.all(Array.from({ length: 50 }, () => proxy.client()));
    for (const client of clients) client.send("INCR queued");
    const code = proxy.terminate();
    process.kill(proxy.pid, "SIGCONT");
    for (const client of clients) await client.gone();
    assert.equal(await code, 0);
    assert.deepEqual(
      clients.map(({ error }) => error),
      clients.map(() => undefined),
    );
    // Each is answered or was not executed.
    const answered = clients.filter(({ unread }) => unread.length === 1).length;
    assert.equal(topology.first.data.text("queued"), answered === 0 ? undefined : String(answered));
  });

  it("loses nothing of clients that go on writing until they are closed", async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => proxy.client()));
    let acknowledged = 0;
    let running = true;
    const loads = clients.map(async (client) => {
      while (running && client.isOpen) {
        client.send("INCR n");
        try {
          const reply = await client.reply(3000);
          assert.equal(typeof reply, "number", String(reply));
          acknowledged++;
        } catch (error) {
          // The end came before the reply: allowed only when it wasn't executed, which is counted below.
          if (client.isOpen) throw error;
        }
      }
    });
    await eventually(() => assert.ok(acknowledged > 50));
    const code = await proxy.terminate();
    running = false;
    await Promise.all(loads);
    assert.equal(code, 0);
    assert.equal(topology.first.data.text("n"), String(acknowledged));
  });

  it("waits for an open transaction to come to its end", async () => {
    const client = await proxy.client();
    client.pipeline("MULTI", "INCR a");
    await client.replies(2);
    const code = proxy.terminate();
    await eventually(async () => assert.equal(await proxy.health("/readyz"), 503));
    assert.deepEqual(await client.call("EXEC"), [1]);
    await client.gone();
    assert.equal(await code, 0);
  });

  it("closes who still has something under way when the time for it is over", async () => {
    const hurried = await ProxyProcess.start(topology, { environment: { PROXY_DRAIN_TIMEOUT_MS: "300" } });
    try {
      const client = await hurried.client();
      client.pipeline("BLPOP l 0");
      await eventually(() => assert.ok(topology.first.arrived.includes("BLPOP l 0")));
      const code = hurried.terminate();
      const begin = performance.now();
      await client.gone();
      assert.ok(performance.now() - begin > 250);
      assert.equal(await code, 0);
    } finally {
      await hurried.kill();
    }
  });

  it("ends at once at the second signal", async () => {
    const client = await proxy.client();
    client.pipeline("BLPOP l 0");
    await eventually(() => assert.equal(topology.first.arrived.length, 1));
    const code = proxy.terminate();
    await eventually(async () => assert.equal(await proxy.health("/readyz"), 503));
    proxy.terminate().catch(() => undefined);
    await client.gone();
    assert.notEqual(await code, null);
  });
});

describe("a proxy that can't listen", () => {
  it("ends with exit code 1 and says why", async () => {
    const owner = createServer().listen(0, "127.0.0.1");
    await once(owner, "listening");
    const port = String((owner.address() as AddressInfo).port);
    try {
      const { exitCode, stdout } = await execa(process.execPath, ["proxy/main.ts"], {
        cwd: fileURLToPath(new URL("../..", import.meta.url)),
        extendEnv: false,
        env: {
          BIND_ADDR: "127.0.0.1",
          PROXY_PORT: port,
          PROXY_ADMIN_PORT: String(await freePort()),
          REDIS_SENTINELS: "127.0.0.1:1",
        },
        reject: false,
        timeout: 5000,
      });
      assert.equal(exitCode, 1);
      assert.match(stdout, /EADDRINUSE/);
    } finally {
      owner.close();
    }
  });
});

async function refuses(port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(port, "127.0.0.1")
    .once("error", () => resolve())
    .once("connect", () => reject(new Error("it takes new clients")));
  try {
    await promise;
  } finally {
    socket.destroy();
  }
}
