import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundlePrograms } from "../components/bundle.ts";
import { findProgram } from "../runtime/find-program.ts";
import { BenchProcesses, checkBefore } from "./bench-processes.ts";
import type { Path } from "./scenarios.ts";

/** What the proxy of a benchmark is run with: as in its image, one file without types, and the same options. */
export function proxyArguments(directory: string, nodeOptions: readonly string[] = []): string[] {
  const dist = join(directory, "dist");
  bundlePrograms({ directory: "proxy", programs: ["main"], outDirectory: dist });
  return ["--max-semi-space-size=4", ...nodeOptions, join(dist, "main.js")];
}

/** One Redis, and the ways to it: none, HAProxy with one thread, and the proxy with one real Sentinel. */
export class BenchServers {
  readonly ports: Readonly<Record<Path, number>>;
  readonly #processes = new BenchProcesses();

  private constructor(basePort: number) {
    this.ports = { direct: basePort, haproxy: basePort + 1, proxy: basePort + 2 };
  }

  /** @throws {UserError} when a program is missing or a port is taken; nothing is left running then. */
  static async start(basePort: number, nodeOptions: readonly string[] = []): Promise<BenchServers> {
    const ports = Array.from({ length: 6 }, (_, i) => basePort + i);
    await checkBefore(["redis-server", "redis-benchmark", "haproxy"], ports);
    const servers = new BenchServers(basePort);
    try {
      await servers.#startAll(nodeOptions);
      return servers;
    } catch (error) {
      await servers.stop();
      throw error;
    }
  }

  pid(name: "redis" | "proxy" | "haproxy"): number {
    return this.#processes.pid(name);
  }

  /** Ends everything that was started. */
  async stop(): Promise<void> {
    await this.#processes.stop();
  }

  async #startAll(nodeOptions: readonly string[]): Promise<void> {
    const { direct, haproxy, proxy } = this.ports;
    const processes = this.#processes;
    const { directory } = processes;
    const sentinel = proxy + 3;
    const local = ["--bind", "127.0.0.1", "--dir", directory];
    processes.run("redis", "redis-server", [
      "--port",
      String(direct),
      ...local,
      "--save",
      "",
      "--maxclients",
      "20000",
    ]);
    await processes.answers("redis", direct);
    const sentinelConf = join(directory, "sentinel.conf");
    writeFileSync(
      sentinelConf,
      `port ${sentinel}\nbind 127.0.0.1\ndir ${directory}\nsentinel monitor bench 127.0.0.1 ${direct} 1\n`,
    );
    processes.run("sentinel", "redis-server", [sentinelConf, "--sentinel"]);
    const haproxyConf = join(directory, "haproxy.cfg");
    writeFileSync(haproxyConf, haproxyConfiguration(haproxy, direct));
    processes.run("haproxy", findProgram("haproxy", `${process.env.PATH}:/usr/sbin`), [
      "-db",
      "-f",
      haproxyConf,
    ]);
    await processes.answers("sentinel", sentinel);
    processes.run("proxy", process.execPath, proxyArguments(directory, nodeOptions), {
      BIND_ADDR: "127.0.0.1",
      PROXY_PORT: String(proxy),
      PROXY_ADMIN_PORT: String(proxy + 1),
      PROXY_MAX_CLIENTS: "20000",
      REDIS_SENTINELS: `127.0.0.1:${sentinel}`,
      MASTER_NAME: "bench",
      LOG_LEVEL: "warn",
    });
    await processes.answers("haproxy", haproxy);
    await processes.answers("proxy", proxy);
  }
}

function haproxyConfiguration(port: number, redis: number): string {
  return `global
  nbthread 1
  maxconn 8000
defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h
listen redis
  bind 127.0.0.1:${port}
  server redis 127.0.0.1:${redis}
`;
}
