import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, RedisProcess, temporaryDirectory } from "./redis-process.ts";

/** A replica and three real Sentinels around a Redis of a test, as others run them: in a hurry, and all by themselves. */
export class SentinelSet {
  readonly replica: RedisProcess;
  readonly sentinels: readonly RedisProcess[];
  readonly #directory: ReturnType<typeof temporaryDirectory>;

  private constructor(
    replica: RedisProcess,
    sentinels: readonly RedisProcess[],
    directory: ReturnType<typeof temporaryDirectory>,
  ) {
    this.replica = replica;
    this.sentinels = sentinels;
    this.#directory = directory;
  }

  static async around(master: RedisProcess): Promise<SentinelSet> {
    const directory = temporaryDirectory();
    const port = await freePort();
    const replica = await RedisProcess.start(port, [
      ...["--port", String(port), "--dir", directory.path, "--save", ""],
      ...["--replicaof", "127.0.0.1", String(master.port)],
    ]);
    const sentinels: RedisProcess[] = [];
    for (let i = 0; i < 3; i++) {
      const own = await freePort();
      const file = join(directory.path, `sentinel-${own}.conf`);
      const lines = [
        ...[`port ${own}`, `dir ${directory.path}`, `sentinel monitor theirs 127.0.0.1 ${master.port} 2`],
        ...["sentinel down-after-milliseconds theirs 1000", "sentinel failover-timeout theirs 3000"],
      ];
      writeFileSync(file, lines.join("\n"));
      const sentinel = await RedisProcess.start(own, [file, "--sentinel"]);
      // What takes 20 s otherwise: to look at a master that says it is a replica.
      await sentinel.client.call("SENTINEL", "DEBUG", "info-period", "500");
      sentinels.push(sentinel);
    }
    return new SentinelSet(replica, sentinels, directory);
  }

  /** The port of the master that each Sentinel names. */
  masters(): Promise<number[]> {
    return Promise.all(
      this.sentinels.map(async ({ client }) =>
        Number(((await client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "theirs")) as string[])[1]),
      ),
    );
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, this.replica].map((one) => one.kill()));
    this.#directory.remove();
  }
}
