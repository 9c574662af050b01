import { NamedRedis } from "./named-redis.ts";
import type { RedisProcess } from "./redis-process.ts";
import { TestProxy, type TestProxyOptions } from "./test-proxy.ts";

/** One genuine redis-server, three fake Sentinels that name it, and a proxy in the test's own process in front of it. */
export class ProxiedRedis {
  readonly redis: RedisProcess;
  readonly proxy: TestProxy;
  readonly #named: NamedRedis;

  private constructor(named: NamedRedis, proxy: TestProxy) {
    this.redis = named.redis;
    this.proxy = proxy;
    this.#named = named;
  }

  /** @param lines of its redis.conf, beside port, address and no snapshots. */
  static async start(lines: readonly string[] = [], options: TestProxyOptions = {}): Promise<ProxiedRedis> {
    const named = await NamedRedis.start(lines);
    try {
      return new ProxiedRedis(named, await TestProxy.start({ sentinels: named.sentinels }, options));
    } catch (error) {
      await named.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    try {
      await this.proxy.stop();
    } finally {
      await this.#named.stop();
    }
  }
}
