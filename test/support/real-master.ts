import { FakeSentinel } from "./fake-sentinel.ts";
import { ProxyProcess } from "./proxy-process.ts";
import { freePort, RedisProcess } from "./redis-process.ts";

/** One genuine redis-server, three fake Sentinels that name it, and a proxy process in front of it. */
export class RealMaster {
  readonly redis: RedisProcess;
  readonly proxy: ProxyProcess;
  readonly #sentinels: readonly FakeSentinel[];

  private constructor(redis: RedisProcess, proxy: ProxyProcess, sentinels: readonly FakeSentinel[]) {
    this.redis = redis;
    this.proxy = proxy;
    this.#sentinels = sentinels;
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<RealMaster> {
    const port = await freePort();
    const redis = await RedisProcess.startWithFile(port, [`port ${port}`, "bind 127.0.0.1", 'save ""']);
    const makeSentinel = () => new FakeSentinel({ host: "127.0.0.1", port }).start();
    const sentinels = [await makeSentinel(), await makeSentinel(), await makeSentinel()];
    try {
      return new RealMaster(redis, await ProxyProcess.start({ sentinels }, { environment }), sentinels);
    } catch (error) {
      await Promise.all([redis.kill(), ...sentinels.map((sentinel) => sentinel.stop())]);
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.proxy.kill();
    await Promise.all([this.redis.kill(), ...this.#sentinels.map((sentinel) => sentinel.stop())]);
  }
}
