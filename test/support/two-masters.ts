import assert from "node:assert/strict";
import { eventually } from "./eventually.ts";
import { masterName } from "./fake-topology.ts";
import { NamedRedis } from "./named-redis.ts";
import { freePort, RedisProcess } from "./redis-process.ts";
import { TestProxy, type TestProxyOptions } from "./test-proxy.ts";

/**
 * Two genuine redis-servers, a proxy, and Sentinels that name the first one. A test gives both the same data: quicker than a
 * replication, and all that a client can see of one.
 */
export class TwoMasters {
  readonly first: RedisProcess;
  readonly second: RedisProcess;
  readonly proxy: TestProxy;
  readonly #named: NamedRedis;

  private constructor(named: NamedRedis, second: RedisProcess, proxy: TestProxy) {
    this.first = named.redis;
    this.second = second;
    this.proxy = proxy;
    this.#named = named;
  }

  static async start(options: TestProxyOptions = {}): Promise<TwoMasters> {
    const named = await NamedRedis.start();
    const port = await freePort();
    const second = await RedisProcess.startWithFile(port, [`port ${port}`, "bind 127.0.0.1", 'save ""']);
    return new TwoMasters(named, second, await TestProxy.start(named, options));
  }

  /** The second one is the master from now on, and the proxy knows. @param planned the first one lives on. */
  async failOver(planned: boolean): Promise<void> {
    if (!planned) await this.first.kill();
    const { port } = this.second;
    for (const sentinel of this.#named.sentinels)
      sentinel.switchTo({ host: "127.0.0.1", port }, 2, masterName);
    await eventually(() => {
      const { state } = this.proxy.server.watcher;
      assert.equal(state.kind === "following" && state.master.port, port);
    });
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await Promise.all([this.#named.stop(), this.second.kill()]);
  }
}
