import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { eventually } from "./eventually.ts";

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer().once("error", reject);
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    server.close(() => resolve(port));
  });
  return promise;
}

/** A temporary directory and its removal. */
export function temporaryDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "redis-ha-test-"));
  return {
    path,
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }),
  };
}

/** As whom a test talks to a server. */
interface Login {
  readonly username?: string;
  readonly password?: string;
}

/** A real redis-server, or Sentinel, of a test. */
export class RedisProcess {
  readonly port: number;
  readonly client: Redis;
  readonly #child: ReturnType<typeof spawn>;
  readonly #ended: Promise<void>;
  #output = "";

  private constructor(port: number, args: readonly string[], login: Login) {
    this.port = port;
    this.#child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#ended = new Promise((resolve) => this.#child.once("close", () => resolve()));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
    this.client = new Redis({
      port,
      ...login,
      protocol: 2,
      lazyConnect: true,
      enableReadyCheck: false,
      retryStrategy: () => 50,
    });
    this.client.on("error", () => undefined);
  }

  /** Starts `redis-server <args>` and waits for its first answer; the arguments decide about the port. */
  static async start(port: number, args: readonly string[], login: Login = {}): Promise<RedisProcess> {
    const server = new RedisProcess(port, args, login);
    try {
      await eventually(async () => {
        if (server.#child.exitCode !== null) throw new Error("redis-server ended");
        if (server.client.status === "wait" || server.client.status === "end") await server.client.connect();
        await server.client.ping();
      });
      return server;
    } catch (error) {
      await server.kill();
      throw new Error(`redis-server ${args.join(" ")} does not answer:\n${server.#output}`, { cause: error });
    }
  }

  /** Starts it with a configuration file of these lines; the file goes with the process. */
  static async startWithFile(
    port: number,
    lines: readonly string[],
    login: Login = {},
  ): Promise<RedisProcess> {
    const directory = temporaryDirectory();
    const file = join(directory.path, "redis.conf");
    writeFileSync(file, lines.join("\n"));
    try {
      return await RedisProcess.start(port, [file, "--dir", directory.path], login);
    } finally {
      // redis-server has read it, and works in the directory without a name.
      directory.remove();
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** A replica needs half a second and more for its first sync; a signal reaches this process alone. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it as an administrator does: data are written. */
  async stop(): Promise<void> {
    this.client.disconnect();
    this.#child.kill("SIGTERM");
    await this.#ended;
  }

  async kill(): Promise<void> {
    this.client.disconnect();
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
