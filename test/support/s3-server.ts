import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { StoreAccess } from "../../sentinel-image/backup/open-store.ts";
import { ensureS3Server } from "../../workshop/cluster/programs.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./redis-process.ts";

/** What versitygw keeps of unfinished uploads, in each bucket. */
const unfinishedFolder = ".sgwtmp";

export const s3Credentials = { accessKeyId: "test-key", secretAccessKey: "test-secret-of-backups" };

interface S3ServerOptions {
  /** Where its buckets are, each a directory. */
  readonly directory: string;
  /** PEM files: with them it speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Where it keeps older versions; with it there are object locks. */
  readonly versions?: string;
}

/** A real S3 server, Versity's gateway, of a test. */
export class S3Server {
  readonly port: number;
  readonly #options: S3ServerOptions;
  #child: ChildProcess | undefined;

  private constructor(port: number, options: S3ServerOptions) {
    this.port = port;
    this.#options = options;
  }

  /** Builds it when it isn't built yet: give the hook that calls this the time of `s3ServerBuildMs`. */
  static async start(options: S3ServerOptions): Promise<S3Server> {
    const server = new S3Server(await freePort(), options);
    await server.start();
    return server;
  }

  get endpoint(): string {
    return `http${this.#options.tls === undefined ? "" : "s"}://127.0.0.1:${this.port}`;
  }

  /** What a store needs to use it. */
  get access(): StoreAccess {
    return { endpoint: this.endpoint, ...s3Credentials };
  }

  /** Starts it (again). */
  async start(): Promise<void> {
    const { directory, tls, versions } = this.#options;
    const program = await ensureS3Server((line) => process.stderr.write(`${line}\n`));
    const child = spawn(
      program,
      [
        ...["--port", `127.0.0.1:${this.port}`, "--quiet"],
        ...(tls === undefined ? [] : ["--cert", tls.cert, "--key", tls.key]),
        "posix",
        ...(versions === undefined ? [] : ["--versioning-dir", versions]),
        directory,
      ],
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          PATH: process.env.PATH,
          ROOT_ACCESS_KEY_ID: s3Credentials.accessKeyId,
          ROOT_SECRET_ACCESS_KEY: s3Credentials.secretAccessKey,
        },
      },
    );
    this.#child = child;
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`versitygw ended:\n${output}`);
        const socket = connect(this.port, "127.0.0.1");
        await once(socket, "connect").finally(() => socket.destroy());
      },
      { withinMs: 15_000 },
    );
  }

  createBucket(name: string): void {
    mkdirSync(join(this.#options.directory, name));
  }

  /** Files of uploads that were neither completed nor aborted. */
  unfinished(bucket: string): string[] {
    const folder = join(this.#options.directory, bucket, unfinishedFolder);
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  }

  removeBucket(name: string): void {
    rmSync(join(this.#options.directory, name), { recursive: true, force: true });
  }

  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGCONT");
    child.kill("SIGKILL");
    await ended;
  }
}

/** For the hook that may have to build it. */
export const s3ServerBuildMs = 900_000;
