import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";
import type { FakeSentinel } from "./fake-sentinel.ts";
import { masterName } from "./fake-topology.ts";
import { freePort, temporaryDirectory } from "./redis-process.ts";
import { RespClient } from "./resp-client.ts";

const program = fileURLToPath(new URL("../../proxy/main.ts", import.meta.url));

/** How a test's proxy differs from one with default settings. */
export interface ProxyProcessOptions {
  readonly password?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A proxy in a process of its own, that asks fake Sentinels for its master, and its clients. */
export class ProxyProcess {
  readonly port: number;
  readonly adminPort: number;
  readonly #child: ReturnType<typeof spawn>;
  readonly #ended: Promise<number | null>;
  readonly #clients: RespClient[] = [];
  readonly #forget: () => void;
  #output = "";

  private constructor(environment: Record<string, string>, forget: () => void) {
    this.port = Number(environment.PROXY_PORT);
    this.adminPort = Number(environment.PROXY_ADMIN_PORT);
    this.#forget = forget;
    this.#child = spawn(process.execPath, [program], {
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#ended = new Promise((resolve) => this.#child.once("close", (code) => resolve(code)));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
  }

  /** Starts it and waits until it is ready: it has found the master. */
  static async start(
    topology: { readonly sentinels: readonly FakeSentinel[] },
    { password, environment = {} }: ProxyProcessOptions = {},
  ): Promise<ProxyProcess> {
    const directory = temporaryDirectory();
    const file = join(directory.path, "password");
    if (password !== undefined) writeFileSync(file, password);
    const proxy = new ProxyProcess(
      {
        BIND_ADDR: "127.0.0.1",
        PROXY_PORT: String(await freePort()),
        PROXY_ADMIN_PORT: String(await freePort()),
        REDIS_SENTINELS: topology.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(","),
        MASTER_NAME: masterName,
        ...(password === undefined ? {} : { REDIS_PASSWORD_FILE: file }),
        ...environment,
      },
      directory.remove,
    );
    try {
      await eventually(() => proxy.#isReady(), { withinMs: 30_000, everyMs: 50 });
      return proxy;
    } catch (error) {
      await proxy.kill();
      throw new Error(`the proxy isn't ready:\n${proxy.#output}`, { cause: error });
    }
  }

  /** Connects a client, which is closed with the proxy. */
  async client(protocol: 2 | 3 = 2): Promise<RespClient> {
    const client = await RespClient.connect(this.port, protocol);
    this.#clients.push(client);
    return client;
  }

  /** The value of a metric; 0 when it isn't there. The name may have labels: `name{reason="multi"}`. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.adminPort}/metrics`)).text();
    const line = text.split("\n").find((one) => one.startsWith(`${name} `));
    return line === undefined ? 0 : Number(line.slice(name.length));
  }

  /** The status of /readyz or /livez. */
  async health(path: "/readyz" | "/livez"): Promise<number> {
    return (await fetch(`http://127.0.0.1:${this.adminPort}${path}`)).status;
  }

  /** Waits until it holds commands. */
  async holds(): Promise<void> {
    await eventually(
      async () => {
        if ((await this.metric("redis_ha_proxy_holding")) !== 1) throw new Error("the proxy doesn't hold");
      },
      { withinMs: 3000, everyMs: 5 },
    );
  }

  get output(): string {
    return this.#output;
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error("the proxy didn't start");
    return pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Asks it to end, and gives its exit code when it has. */
  async terminate(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    return this.#ended;
  }

  /** Ends it at once, with its clients. */
  async kill(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.destroy();
    this.#child.kill("SIGKILL");
    await this.#ended;
    this.#forget();
  }

  async #isReady(): Promise<void> {
    if (!this.running) throw new Error("it has ended");
    const status = await this.health("/readyz");
    if (status !== 200) throw new Error(`/readyz gives ${status}`);
  }
}
