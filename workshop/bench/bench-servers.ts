import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "../../runtime/find-program.ts";
import { BenchProcesses, proxyArguments, startServers } from "./bench-processes.ts";
import type { Path } from "./scenarios.ts";

/** One Redis, and the ways to it: none, HAProxy with one thread, and the proxy with one real Sentinel. */
export class BenchServers {
  readonly ports: Readonly<Record<Path, number>>;
  readonly #processes = new BenchProcesses();

  private constructor(basePort: number) {
    this.ports = { direct: basePort, haproxy: basePort + 1, proxy: basePort + 2 };
  }

  /** @throws {UserError} when a program is missing or a port is taken; nothing is left running then. */
  static async start(basePort: number, nodeOptions: readonly string[] = []): Promise<BenchServers> {
    return startServers({
      programs: ["redis-server", "redis-benchmark", "haproxy"],
      basePort,
      ports: 6,
      make: () => new BenchServers(basePort),
      begin: (servers) => servers.#startAll(nodeOptions),
    });
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
    const haproxyConf = join(directory, "haproxy.cfg");
    writeFileSync(haproxyConf, haproxyConfiguration(haproxy, direct));
    processes.run("haproxy", findProgram("haproxy", `${process.env.PATH}:/usr/sbin`), [
      "-db",
      "-f",
      haproxyConf,
    ]);
    await processes.sentinel("sentinel", sentinel, direct);
    const ports = { port: proxy, sentinel };
    processes.proxy("proxy", proxyArguments(directory, nodeOptions), ports, { PROXY_MAX_CLIENTS: "20000" });
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
