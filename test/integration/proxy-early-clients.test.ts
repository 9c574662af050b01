import assert from "node:assert/strict";
import { pino } from "pino";
import { ProxyServer } from "../../proxy/proxy-server.ts";
import { eventually } from "../support/eventually.ts";
import { closesBefore } from "../support/fake-redis-faults.ts";
import { FakeTopology, masterName } from "../support/fake-topology.ts";
import { freePort } from "../support/redis-process.ts";
import { RespClient } from "../support/resp-client.ts";

describe("the proxy, clients that came before it knew the master's commands", () => {
  let topology: FakeTopology;
  let server: ProxyServer;
  const clients: RespClient[] = [];

  before(async () => {
    topology = await FakeTopology.start();
    topology.first.freeze();
    const port = await freePort();
    server = new ProxyServer({
      host: "127.0.0.1",
      port,
      maxClients: 10,
      maxDedicated: 100,
      holdTimeoutMs: 11_000,
      sentinels: topology.sentinels.map(({ address }) => address),
      masterName,
      password: () => undefined,
      log: pino({ level: "silent" }),
    });
    await server.start();
    // One says nothing yet, the other one waits with a command.
    for (let i = 0; i < 2; i++) clients.push(await RespClient.connect(port));
    clients[1]?.send("GET", "k1");
    await eventually(() => assert.equal(server.clients, 2));
    assert.equal(server.everFollowed, false);
    topology.first.thaw();
    await eventually(() => assert.ok(server.everFollowed));
  });

  after(async () => {
    for (const client of clients) client.destroy();
    await server.stop();
    await topology.stop();
  });

  it("share an upstream connection as all others do", async () => {
    const [silent, waiting] = clients;
    assert.ok(silent && waiting);
    assert.equal(await waiting.reply(), null);
    await silent.call("GET k0");
    await waiting.call("GET k2");
    const carriers = ["GET k0", "GET k1", "GET k2"].map((text) => topology.first.connectionOf(text));
    assert.equal(new Set(carriers).size, 1, `connections ${carriers}`);
  });

  it("have their reads sent again when the connection is lost", async () => {
    for (const [i, client] of clients.entries()) {
      topology.first.once(new RegExp(`^GET lost${i}`), closesBefore);
      assert.equal(await client.call(`GET lost${i}`), null);
    }
  });
});
