import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { findProgram } from "../../runtime/find-program.ts";
import { portsInUse } from "../../runtime/ports-in-use.ts";
import { UserError } from "../../runtime/user-error.ts";

const proxyProgram = fileURLToPath(new URL("../../proxy/main.ts", import.meta.url));
const masterName = "hostile";
const readyWithinMs = 15_000;
/** Output of one process that is kept for a report. */
const keptOutputBytes = 16 * 1024;

/** What is attacked: one Redis, one Sentinel, and the proxy before them. */
export interface HostileServersOptions {
  /** First of five ports: Redis, Sentinel, the proxy's for clients, its Sentinel API, and its admin port. */
  readonly basePort: number;
  /** Password of Redis and the proxy's clients. Default: none. */
  readonly password?: string | undefined;
  /** Further environment of the proxy. */
  readonly environment?: Readonly<Record<string, string>>;
}

function launch(program: string, args: readonly string[], env: Record<string, string>, cwd: string) {
  // A crash's last words are at the end; execa would keep everything.
  return execa(program, args, { env, cwd, stdin: "ignore", all: true, reject: false, buffer: false });
}

interface Running {
  readonly process: ReturnType<typeof launch>;
  readonly output: () => string;
}

/** Real processes on loopback: redis-server, a Sentinel, and `node proxy/main.ts`. */
export class HostileServers {
  readonly redisPort: number;
  readonly proxyPort: number;
  readonly sentinelApiPort: number;
  readonly adminPort: number;
  readonly password: string | undefined;
  readonly #sentinelPort: number;
  readonly #directory = mkdtempSync(join(tmpdir(), "redis-ha-hostile-"));
  readonly #running = new Map<string, Running>();

  private constructor({ basePort, password }: HostileServersOptions) {
    this.redisPort = basePort;
    this.#sentinelPort = basePort + 1;
    this.proxyPort = basePort + 2;
    this.sentinelApiPort = basePort + 3;
    this.adminPort = basePort + 4;
    this.password = password;
  }

  /** @throws {UserError} when redis-server is missing or a port is taken; nothing is left running then. */
  static async start(options: HostileServersOptions): Promise<HostileServers> {
    try {
      findProgram("redis-server", process.env.PATH);
    } catch {
      throw new UserError(
        "redis-server is not in PATH: install it (Debian and Ubuntu: apt-get install redis-server).",
      );
    }
    const [busy] = await portsInUse(Array.from({ length: 5 }, (_, i) => options.basePort + i));
    if (busy !== undefined) throw new UserError(`Port ${busy} is in use: choose another one with --port.`);
    const servers = new HostileServers(options);
    try {
      await servers.#startAll(options.environment ?? {});
      return servers;
    } catch (error) {
      await servers.stop();
      throw error;
    }
  }

  get redisPid(): number {
    return this.#pidOf("redis");
  }

  get proxyPid(): number {
    return this.#pidOf("proxy");
  }

  /** What the proxy has written last; it tells why it ended. */
  get proxyOutput(): string {
    return this.#running.get("proxy")?.output() ?? "";
  }

  /** How the proxy has ended, or undefined while it runs. */
  get proxyEnd(): string | undefined {
    const { exitCode, signalCode } = this.#running.get("proxy")?.process ?? {};
    if (typeof exitCode === "number") return `exit code ${exitCode}`;
    return typeof signalCode === "string" ? `signal ${signalCode}` : undefined;
  }

  /** The values of the proxy's metrics, by name with labels. @throws {Error} when it doesn't answer within a second. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const url = `http://127.0.0.1:${this.adminPort}/metrics`;
    const text = await (await fetch(url, { signal: AbortSignal.timeout(1000) })).text();
    return new Map(
      text
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => {
          const space = line.lastIndexOf(" ");
          return [line.slice(0, space), Number(line.slice(space + 1))];
        }),
    );
  }

  /** Ends everything that was started. */
  async stop(): Promise<void> {
    const all = [...this.#running.values()].map(({ process }) => process);
    // There is nothing to drain, and the proxy would wait for the attackers.
    for (const process of all) process.kill("SIGKILL");
    await Promise.allSettled(all);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #startAll(environment: Readonly<Record<string, string>>): Promise<void> {
    const { password } = this;
    const directory = this.#directory;
    const common = ["bind 127.0.0.1", `dir ${directory}`];
    // A file, not arguments: those can be read by everybody.
    const redisConf = this.#file("redis.conf", [
      ...common,
      `port ${this.redisPort}`,
      'save ""',
      "maxclients 20000",
      ...(password === undefined ? [] : [`requirepass ${password}`]),
    ]);
    this.#run("redis", findProgram("redis-server", process.env.PATH), [redisConf]);
    await this.#answers("redis", this.redisPort);
    const sentinelConf = this.#file("sentinel.conf", [
      ...common,
      `port ${this.#sentinelPort}`,
      `sentinel monitor ${masterName} 127.0.0.1 ${this.redisPort} 1`,
      // A machine under attack may be slow: there is nobody to fail over to.
      `sentinel down-after-milliseconds ${masterName} 30000`,
      ...(password === undefined
        ? []
        : [`sentinel auth-pass ${masterName} ${password}`, `requirepass ${password}`]),
    ]);
    this.#run("sentinel", findProgram("redis-server", process.env.PATH), [sentinelConf, "--sentinel"]);
    await this.#answers("sentinel", this.#sentinelPort);
    this.#run("proxy", process.execPath, [proxyProgram], {
      BIND_ADDR: "127.0.0.1",
      PROXY_PORT: String(this.proxyPort),
      PROXY_SENTINEL_PORT: String(this.sentinelApiPort),
      PROXY_ADMIN_PORT: String(this.adminPort),
      REDIS_SENTINELS: `127.0.0.1:${this.#sentinelPort}`,
      MASTER_NAME: masterName,
      LOG_LEVEL: "warn",
      ...(password === undefined ? {} : { REDIS_PASSWORD_FILE: this.#file("password", [password]) }),
      ...environment,
    });
    await this.#answers("proxy", this.proxyPort);
    await this.#isReady();
  }

  #pidOf(name: string): number {
    const pid = this.#running.get(name)?.process.pid;
    // 0 would be the whole process group for a signal.
    if (pid === undefined) throw new Error(`${name} doesn't run`);
    return pid;
  }

  #file(name: string, lines: readonly string[]): string {
    const path = join(this.#directory, name);
    writeFileSync(path, lines.join("\n"), { mode: 0o600 });
    return path;
  }

  #run(name: string, program: string, args: readonly string[], env: Record<string, string> = {}): void {
    const running = launch(program, args, env, this.#directory);
    let output = "";
    running.all.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-keptOutputBytes);
    });
    this.#running.set(name, { process: running, output: () => output });
  }

  /** Waits for the first answer, be it an error. */
  async #answers(name: string, port: number): Promise<void> {
    await this.#within(name, () => ping(port));
  }

  /** Ready: it has found the master. */
  async #isReady(): Promise<void> {
    await this.#within("proxy", async () => {
      const url = `http://127.0.0.1:${this.adminPort}/readyz`;
      return fetch(url, { signal: AbortSignal.timeout(1000) }).then(
        ({ status }) => status === 200,
        () => false,
      );
    });
  }

  async #within(name: string, probe: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + readyWithinMs;
    const running = this.#running.get(name);
    while (performance.now() < deadline && running?.process.exitCode === null) {
      if (await probe()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new UserError(`${name} isn't ready within ${readyWithinMs} ms:\n${running?.output() ?? ""}`);
  }
}

async function ping(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
  socket.setTimeout(500, () => resolve(false));
  socket.once("data", () => resolve(true));
  socket.once("error", () => resolve(false));
  socket.once("close", () => resolve(false));
  const answered = await promise;
  socket.destroy();
  return answered;
}
