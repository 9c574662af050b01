import assert from "node:assert/strict";
import { pino } from "pino";
import { ProxyServer } from "../../proxy/proxy-server.ts";
import { eventually } from "../support/eventually.ts";
import { FakeSentinel } from "../support/fake-sentinel.ts";
import { freePort, RedisProcess, temporaryDirectory } from "../support/redis-process.ts";
import { RespClient } from "../support/resp-client.ts";

describe("WAIT through the proxy, with a genuine Redis and its replica", () => {
  const directories = [temporaryDirectory(), temporaryDirectory()];
  let master: RedisProcess;
  let replica: RedisProcess;
  let sentinel: FakeSentinel;
  let proxy: ProxyServer;
  let port: number;

  before(async () => {
    const [masterPort, replicaPort] = [await freePort(), await freePort()];
    const options = (own: number, i: number): string[] => [
      ...["--port", String(own), "--dir", directories[i]?.path ?? "", "--save", ""],
      ...["--repl-diskless-sync-delay", "0"],
    ];
    master = await RedisProcess.start(masterPort, options(masterPort, 0));
    replica = await RedisProcess.start(replicaPort, [
      ...options(replicaPort, 1),
      ...["--replicaof", "127.0.0.1", String(masterPort)],
    ]);
    await eventually(
      async () => assert.match(await replica.client.info("replication"), /master_link_status:up/),
      { withinMs: 5000 },
    );
    sentinel = await new FakeSentinel({ host: "127.0.0.1", port: masterPort }).start();
    port = await freePort();
    proxy = new ProxyServer({
      host: "127.0.0.1",
      port,
      maxClients: 100,
      maxDedicated: 100,
      holdTimeoutMs: 11_000,
      sentinels: [sentinel.address],
      masterName: "mymaster",
      password: () => undefined,
      log: pino({ level: "silent" }),
    });
    await proxy.start();
    await eventually(() => assert.ok(proxy.everFollowed));
  });

  after(async () => {
    await proxy.stop();
    await sentinel.stop();
    await replica.stop();
    await master.stop();
    for (const directory of directories) directory.remove();
  });

  it("counts the replicas that have the client's own writes, made on the shared connection before", async () => {
    const client = await RespClient.connect(port);
    assert.equal(await client.call("SET a 1"), "+OK");
    assert.equal(await client.call("WAIT 1 1000"), 1);
    // A frozen replica has the connection, but not what is written now.
    replica.signal("SIGSTOP");
    try {
      const fresh = await RespClient.connect(port);
      assert.equal(await fresh.call("SET b 1"), "+OK");
      assert.equal(await fresh.call("WAIT 1 200"), 0);
      fresh.destroy();
    } finally {
      replica.signal("SIGCONT");
    }
    assert.equal(await client.call("SET c 1"), "+OK");
    assert.equal(await client.call("WAIT 1 2000"), 1);
    client.destroy();
  });
});
