import { FakeSentinel } from "./fake-sentinel.ts";
import { freePort, RedisProcess } from "./redis-process.ts";
import { TestProxy, type TestProxyOptions } from "./test-proxy.ts";

/** One genuine redis-server, three fake Sentinels that name it, and a proxy in the test's own process in front of it. */
export class ProxiedRedis {
  readonly redis: RedisProcess;
  readonly proxy: TestProxy;
  readonly #sentinels: readonly FakeSentinel[];

  private constructor(redis: RedisProcess, proxy: TestProxy, sentinels: readonly FakeSentinel[]) {
    this.redis = redis;
    this.proxy = proxy;
    this.#sentinels = sentinels;
  }

  /** @param lines of its redis.conf, beside port, address and no snapshots. */
  static async start(lines: readonly string[] = [], options: TestProxyOptions = {}): Promise<ProxiedRedis> {
    const port = await freePort();
    const own = [`port ${port}`, "bind 127.0.0.1", 'save ""'];
    const redis = await RedisProcess.startWithFile(port, [...own, ...lines]);
    const makeSentinel = () => new FakeSentinel({ host: "127.0.0.1", port }).start();
    const sentinels = [await makeSentinel(), await makeSentinel(), await makeSentinel()];
    try {
      return new ProxiedRedis(redis, await TestProxy.start({ sentinels }, options), sentinels);
    } catch (error) {
      await Promise.all([redis.kill(), ...sentinels.map((sentinel) => sentinel.stop())]);
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await Promise.all([this.redis.kill(), ...this.#sentinels.map((sentinel) => sentinel.stop())]);
  }
}
