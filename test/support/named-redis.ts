import { FakeSentinel } from "./fake-sentinel.ts";
import { freePort, RedisProcess } from "./redis-process.ts";

/** One genuine redis-server, and three fake Sentinels that name it as the master. */
export class NamedRedis {
  readonly redis: RedisProcess;
  readonly sentinels: readonly FakeSentinel[];

  private constructor(redis: RedisProcess, sentinels: readonly FakeSentinel[]) {
    this.redis = redis;
    this.sentinels = sentinels;
  }

  /** @param lines of its redis.conf, beside port, address and no snapshots. */
  static async start(lines: readonly string[] = []): Promise<NamedRedis> {
    const port = await freePort();
    const own = [`port ${port}`, "bind 127.0.0.1", 'save ""'];
    const redis = await RedisProcess.startWithFile(port, [...own, ...lines]);
    const makeSentinel = () => new FakeSentinel({ host: "127.0.0.1", port }).start();
    return new NamedRedis(redis, [await makeSentinel(), await makeSentinel(), await makeSentinel()]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.redis.kill(), ...this.sentinels.map((sentinel) => sentinel.stop())]);
  }
}
