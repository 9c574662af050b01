import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { UserError } from "../../runtime/user-error.ts";
import { BenchProcesses, proxyArguments, startServers } from "./bench-processes.ts";

/** `redis:durability` of the proxies. */
export const durabilities = ["async", "sync", "quorum"] as const;
export type DurabilityPath = (typeof durabilities)[number];

const inSyncWithinMs = 10_000;

/** A master with replicas and a real Sentinel, and proxies in front of it: one with each durability. */
export class DurabilityServers {
  readonly ports: Readonly<Record<DurabilityPath, number>>;
  readonly #basePort: number;
  readonly #replicas: number;
  readonly #processes = new BenchProcesses();

  private constructor(basePort: number, replicas: number) {
    this.#basePort = basePort;
    this.#replicas = replicas;
    this.ports = { async: basePort + 2, sync: basePort + 4, quorum: basePort + 6 };
  }

  /** @throws {UserError} when a program is missing, a port is taken or a replica doesn't come in sync; nothing is left running then. */
  static async start(basePort: number, replicas: number): Promise<DurabilityServers> {
    return startServers({
      programs: ["redis-server", "redis-benchmark"],
      basePort,
      ports: 8 + replicas,
      make: () => new DurabilityServers(basePort, replicas),
      begin: (servers) => servers.#startAll(),
    });
  }

  /** Ends everything that was started. */
  async stop(): Promise<void> {
    await this.#processes.stop();
  }

  async #startAll(): Promise<void> {
    const [master, sentinel] = [this.#basePort, this.#basePort + 1];
    await this.#startRedis("master", master);
    for (let i = 0; i < this.#replicas; i++) {
      await this.#startRedis(`replica-${i + 1}`, master + 8 + i, "--replicaof", "127.0.0.1", String(master));
    }
    await this.#processes.sentinel("sentinel", sentinel, master);
    const program = proxyArguments(this.#processes.directory);
    for (const durability of durabilities) {
      const port = this.ports[durability];
      const environment = {
        PROXY_DURABILITY: durability,
        PROXY_DURABILITY_REPLICAS: String(this.#replicas),
      };
      this.#processes.proxy(durability, program, { port, sentinel }, environment);
      await this.#processes.answers(durability, port);
    }
    await this.#inSync(master);
  }

  /** As in the product: with an append-only file, and no pause before the first sync. */
  async #startRedis(name: string, port: number, ...more: string[]): Promise<void> {
    const directory = join(this.#processes.directory, name);
    mkdirSync(directory);
    this.#processes.run(name, "redis-server", [
      ...["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--save", ""],
      ...["--appendonly", "yes", "--repl-diskless-sync-delay", "0", "--min-replicas-to-write", "1", ...more],
    ]);
    await this.#processes.answers(name, port);
  }

  async #inSync(port: number): Promise<void> {
    const redis = new Redis({ port, protocol: 2 });
    try {
      await redis.set("in-sync", "1");
      if ((await redis.wait(this.#replicas, inSyncWithinMs)) < this.#replicas)
        throw new UserError(`The replicas aren't in sync after ${inSyncWithinMs} ms.`);
    } finally {
      redis.disconnect();
    }
  }
}
