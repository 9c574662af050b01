import { NamedRedis } from "./named-redis.ts";
import { ProxyProcess } from "./proxy-process.ts";
import type { RedisProcess } from "./redis-process.ts";

/** One genuine redis-server, three fake Sentinels that name it, and a proxy process in front of it. */
export class RealMaster {
  readonly redis: RedisProcess;
  readonly proxy: ProxyProcess;
  readonly #named: NamedRedis;

  private constructor(named: NamedRedis, proxy: ProxyProcess) {
    this.redis = named.redis;
    this.proxy = proxy;
    this.#named = named;
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<RealMaster> {
    const named = await NamedRedis.start();
    try {
      return new RealMaster(named, await ProxyProcess.start({ sentinels: named.sentinels }, { environment }));
    } catch (error) {
      await named.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    try {
      await this.proxy.kill();
    } finally {
      await this.#named.stop();
    }
  }
}
