import assert from "node:assert/strict";
import { pino } from "pino";
import { ProxyServer, type ProxyServerOptions } from "../../proxy/proxy-server.ts";
import { eventually } from "./eventually.ts";
import type { FakeSentinel } from "./fake-sentinel.ts";
import { masterName } from "./fake-topology.ts";
import { freePort } from "./redis-process.ts";
import { RespClient } from "./resp-client.ts";

/** How a test's proxy differs from one with default settings. */
export type TestProxyOptions = Partial<
  Pick<
    ProxyServerOptions,
    | "holdTimeoutMs"
    | "durabilityTimeoutMs"
    | "durabilityReplicas"
    | "quorumReplicas"
    | "maxClients"
    | "maxDedicated"
    | "limits"
    | "password"
  >
>;

/** The proxy's data path in the test's own process, in front of what fake Sentinels name, and its clients. */
export class TestProxy {
  readonly port: number;
  readonly server: ProxyServer;
  readonly #clients: RespClient[] = [];

  private constructor(port: number, server: ProxyServer) {
    this.port = port;
    this.server = server;
  }

  /** Starts it and waits until it has found the master. */
  static async start(
    topology: { readonly sentinels: readonly FakeSentinel[] },
    options: TestProxyOptions = {},
  ): Promise<TestProxy> {
    const port = await freePort();
    const server = new ProxyServer({
      host: "127.0.0.1",
      port,
      maxClients: 1000,
      maxDedicated: 1000,
      holdTimeoutMs: 11_000,
      sentinels: topology.sentinels.map(({ address }) => address),
      masterName,
      password: () => undefined,
      log: pino({ level: process.env.TEST_PROXY_LOG ?? "silent" }),
      ...options,
    });
    const proxy = new TestProxy(port, server);
    await server.start();
    try {
      await eventually(() => assert.ok(server.everFollowed, "no master was found"), { everyMs: 2 });
      return proxy;
    } catch (error) {
      await proxy.stop();
      throw error;
    }
  }

  /** Connects a client, which is closed with the proxy. */
  async client(protocol: 2 | 3 = 2): Promise<RespClient> {
    const client = await RespClient.connect(this.port, protocol);
    this.#clients.push(client);
    return client;
  }

  /** The value of a metric; 0 when it isn't there. */
  async metric(name: string): Promise<number> {
    const lines = (await this.server.metrics.render()).split("\n");
    const line = lines.find((one) => one.startsWith(`${name} `));
    return line === undefined ? 0 : Number(line.slice(name.length));
  }

  /** Waits until it holds commands. */
  async holds(): Promise<void> {
    await eventually(
      async () =>
        assert.equal(await this.metric("redis_ha_proxy_holding"), 1, "the proxy doesn't hold commands"),
      { withinMs: 3000, everyMs: 2 },
    );
  }

  /** Ends it, after all its clients were closed: nothing of them may be left. */
  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.destroy();
    try {
      await eventually(() => assert.equal(this.server.clients, 0, "clients that have left are still there"), {
        everyMs: 2,
      });
      assert.equal(await this.metric("redis_ha_proxy_held_bytes"), 0, "bytes are held for nobody");
    } finally {
      await this.#end();
    }
  }

  async #end(): Promise<void> {
    await Promise.all([this.server.drain(), this.server.stop()]);
  }
}
