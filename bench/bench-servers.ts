import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { UserError } from "../cli/user-error.ts";
import { bundlePrograms } from "../components/bundle.ts";
import { findProgram } from "../runtime/find-program.ts";
import { portsInUse } from "../runtime/ports-in-use.ts";
import type { Path } from "./scenarios.ts";

const readyWithinMs = 10_000;

function launch(program: string, args: readonly string[], env: Record<string, string>, cwd: string) {
  return execa(program, args, { env, cwd, stdin: "ignore", all: true, reject: false });
}

/** One Redis, and the ways to it: none, HAProxy with one thread, and the proxy with one real Sentinel. */
export class BenchServers {
  readonly ports: Readonly<Record<Path, number>>;
  readonly #directory = mkdtempSync(join(tmpdir(), "redis-ha-bench-"));
  readonly #processes = new Map<string, ReturnType<typeof launch>>();

  private constructor(basePort: number) {
    this.ports = { direct: basePort, haproxy: basePort + 1, proxy: basePort + 2 };
  }

  /** @throws {UserError} when a program is missing or a port is taken; nothing is left running then. */
  static async start(basePort: number, nodeOptions: readonly string[] = []): Promise<BenchServers> {
    for (const name of ["redis-server", "redis-benchmark", "haproxy"]) {
      try {
        findProgram(name, `${process.env.PATH}:/usr/sbin`);
      } catch {
        throw new UserError(
          `${name} is not in PATH: install it (Debian and Ubuntu: apt-get install redis-server redis-tools haproxy).`,
        );
      }
    }
    const servers = new BenchServers(basePort);
    const all = Array.from({ length: 6 }, (_, i) => basePort + i);
    const [busy] = await portsInUse(all);
    if (busy !== undefined) throw new UserError(`Port ${busy} is in use: choose another one with --port.`);
    try {
      await servers.#startAll(nodeOptions);
      return servers;
    } catch (error) {
      await servers.stop();
      throw error;
    }
  }

  pid(name: "redis" | "proxy" | "haproxy"): number {
    return this.#processes.get(name)?.pid ?? 0;
  }

  /** Ends everything that was started. */
  async stop(): Promise<void> {
    for (const running of this.#processes.values())
      running.kill("SIGTERM", new Error("the benchmark is over"));
    const stuck = setTimeout(() => {
      for (const running of this.#processes.values()) running.kill("SIGKILL");
    }, 4000);
    await Promise.allSettled(this.#processes.values());
    clearTimeout(stuck);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #startAll(nodeOptions: readonly string[]): Promise<void> {
    const { direct, haproxy, proxy } = this.ports;
    const sentinel = proxy + 3;
    const local = ["--bind", "127.0.0.1", "--dir", this.#directory];
    this.#run("redis", "redis-server", [
      "--port",
      String(direct),
      ...local,
      "--save",
      "",
      "--maxclients",
      "20000",
    ]);
    await this.#answers("redis", direct);
    const sentinelConf = join(this.#directory, "sentinel.conf");
    writeFileSync(
      sentinelConf,
      `port ${sentinel}\nbind 127.0.0.1\ndir ${this.#directory}\nsentinel monitor bench 127.0.0.1 ${direct} 1\n`,
    );
    this.#run("sentinel", "redis-server", [sentinelConf, "--sentinel"]);
    const haproxyConf = join(this.#directory, "haproxy.cfg");
    writeFileSync(haproxyConf, haproxyConfiguration(haproxy, direct));
    this.#run("haproxy", findProgram("haproxy", `${process.env.PATH}:/usr/sbin`), ["-db", "-f", haproxyConf]);
    await this.#answers("sentinel", sentinel);
    // As in its image: one file without types, and the same options.
    const dist = join(this.#directory, "dist");
    bundlePrograms({ directory: "proxy", programs: ["main"], outDirectory: dist });
    this.#run("proxy", process.execPath, ["--max-semi-space-size=4", ...nodeOptions, join(dist, "main.js")], {
      BIND_ADDR: "127.0.0.1",
      PROXY_PORT: String(proxy),
      PROXY_ADMIN_PORT: String(proxy + 1),
      PROXY_MAX_CLIENTS: "20000",
      REDIS_SENTINELS: `127.0.0.1:${sentinel}`,
      MASTER_NAME: "bench",
      LOG_LEVEL: "warn",
    });
    await this.#answers("haproxy", haproxy);
    await this.#answers("proxy", proxy);
  }

  #run(name: string, program: string, args: readonly string[], env: Record<string, string> = {}): void {
    const running = launch(program, args, env, this.#directory);
    this.#processes.set(name, running);
  }

  /** Waits for the first PONG. */
  async #answers(name: string, port: number): Promise<void> {
    const deadline = performance.now() + readyWithinMs;
    const running = this.#processes.get(name);
    while (performance.now() < deadline && running?.exitCode === null) {
      if (await ping(port)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    running?.kill();
    const output = (await running)?.all ?? "";
    throw new UserError(`${name} gives no answer on port ${port} within ${readyWithinMs} ms:\n${output}`);
  }
}

async function ping(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
  socket.setTimeout(500, () => resolve(false));
  socket.once("data", (bytes) => resolve(bytes.toString().startsWith("+PONG")));
  socket.once("error", () => resolve(false));
  socket.once("close", () => resolve(false));
  const answered = await promise;
  socket.destroy();
  return answered;
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
