import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { bundlePrograms } from "../../components/bundle.ts";
import { findProgram } from "../../runtime/find-program.ts";
import { portsInUse } from "../../runtime/ports-in-use.ts";
import { UserError } from "../../runtime/user-error.ts";

const readyWithinMs = 10_000;

function launch(program: string, args: readonly string[], env: Record<string, string>, cwd: string) {
  return execa(program, args, { env, cwd, stdin: "ignore", all: true, reject: false });
}

/** The name under which a benchmark's Sentinel knows the master. */
export const masterName = "bench";

export interface ServersToStart<Servers> {
  readonly programs: readonly string[];
  /** First of `ports` ports. */
  readonly basePort: number;
  readonly ports: number;
  readonly make: () => Servers;
  readonly begin: (servers: Servers) => Promise<void>;
}

/** @throws {UserError} when a program is missing, a port is taken or `begin` fails; nothing is left running then. */
export async function startServers<Servers extends { stop(): Promise<void> }>({
  programs,
  basePort,
  ports,
  make,
  begin,
}: ServersToStart<Servers>): Promise<Servers> {
  for (const name of programs) {
    try {
      findProgram(name, `${process.env.PATH}:/usr/sbin`);
    } catch {
      throw new UserError(
        `${name} is not in PATH: install it (Debian and Ubuntu: apt-get install redis-server redis-tools haproxy).`,
      );
    }
  }
  const [busy] = await portsInUse(Array.from({ length: ports }, (_, i) => basePort + i));
  if (busy !== undefined) throw new UserError(`Port ${busy} is in use: choose another one with --port.`);
  const servers = make();
  try {
    await begin(servers);
    return servers;
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

/** What the proxies of a benchmark are run with: as in their image, one file without types, and the same options. */
export function proxyArguments(directory: string, nodeOptions: readonly string[] = []): string[] {
  const dist = join(directory, "dist");
  bundlePrograms({ directory: "proxy", programs: ["main"], outDirectory: dist });
  return ["--max-semi-space-size=4", ...nodeOptions, join(dist, "main.js")];
}

/** The variables that the proxy's image sets. */
function environmentOfImage(): Record<string, string> {
  const dockerfile = readFileSync(new URL("../../proxy/Dockerfile", import.meta.url), "utf8");
  const pairs = [...dockerfile.matchAll(/^ENV (.+)$/gm)].flatMap(([, line = ""]) => line.split(" "));
  return Object.fromEntries(pairs.map((pair) => pair.split("=")));
}

/** The processes of a benchmark, by name, and their directory. */
export class BenchProcesses {
  readonly directory = mkdtempSync(join(tmpdir(), "redis-ha-bench-"));
  readonly #processes = new Map<string, ReturnType<typeof launch>>();

  pid(name: string): number {
    return this.#processes.get(name)?.pid ?? 0;
  }

  run(name: string, program: string, args: readonly string[], env: Record<string, string> = {}): void {
    if (this.#processes.has(name)) throw new Error(`there are two processes with the name '${name}'`);
    this.#processes.set(name, launch(program, args, env, this.directory));
  }

  /** A file of Redis or a Sentinel, which may hold a password. */
  configure(name: string, lines: readonly string[]): string {
    const file = join(this.directory, `${name}.conf`);
    const own = ["bind 127.0.0.1", `dir ${this.directory}`];
    writeFileSync(file, [...own, ...lines, ""].join("\n"), { mode: 0o600 });
    return file;
  }

  /** Starts a Sentinel that watches one Redis, and waits until it answers. @param lines further ones of its file. */
  async sentinel(name: string, port: number, redis: number, lines: readonly string[] = []): Promise<void> {
    const monitor = `sentinel monitor ${masterName} 127.0.0.1 ${redis} 1`;
    const file = this.configure(name, [`port ${port}`, monitor, ...lines]);
    this.run(name, "redis-server", [file, "--sentinel"]);
    await this.answers(name, port);
  }

  /** Starts a proxy; its admin port is the one behind `port`. @param args of Node.js: {@link proxyArguments}. */
  proxy(
    name: string,
    args: readonly string[],
    { port, sentinel }: { readonly port: number; readonly sentinel: number },
    env: Record<string, string> = {},
  ): void {
    this.run(name, process.execPath, args, {
      BIND_ADDR: "127.0.0.1",
      PROXY_PORT: String(port),
      PROXY_ADMIN_PORT: String(port + 1),
      REDIS_SENTINELS: `127.0.0.1:${sentinel}`,
      MASTER_NAME: masterName,
      LOG_LEVEL: "warn",
      ...environmentOfImage(),
      ...env,
    });
  }

  /** Waits for the first PONG, or demand for a password. @throws {UserError} with the process's output when there is none. */
  async answers(name: string, port: number): Promise<void> {
    await this.#waitFor(name, port, ping);
  }

  /** Waits until a proxy has found its master. @throws {UserError} with its output when it doesn't. */
  async ready(name: string, adminPort: number): Promise<void> {
    await this.#waitFor(name, adminPort, async (port) => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
      return answer?.ok === true;
    });
  }

  async #waitFor(name: string, port: number, isThere: (port: number) => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + readyWithinMs;
    const running = this.#processes.get(name);
    while (performance.now() < deadline && running?.exitCode === null) {
      if (await isThere(port)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    running?.kill();
    const output = (await running)?.all ?? "";
    throw new UserError(`${name} gives no answer on port ${port} within ${readyWithinMs} ms:\n${output}`);
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
    rmSync(this.directory, { recursive: true, force: true });
  }
}

async function ping(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
  socket.setTimeout(500, () => resolve(false));
  socket.once("data", (bytes) => resolve(/^(\+PONG|-NOAUTH)/.test(bytes.toString())));
  socket.once("error", () => resolve(false));
  socket.once("close", () => resolve(false));
  const answered = await promise;
  socket.destroy();
  return answered;
}
