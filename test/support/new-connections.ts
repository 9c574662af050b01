import { connect as connectPlain, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";

/** Where new clients come, and how they log in. */
export interface NewConnectionsOptions {
  readonly host: string;
  /** Taken in turn. */
  readonly ports: readonly number[];
  readonly password: string;
  /** With it they use TLS. */
  readonly tls?: { readonly ca: string; readonly servername: string };
  /** So many are there at the same time: as soon as one leaves, the next one comes. */
  readonly atOnce: number;
}

/** What became of all of them. */
export interface ConnectionReport {
  readonly served: number;
  /** By what a client was told: ECONNREFUSED, ECONNRESET, "closed", "time-out". */
  readonly failed: Readonly<Record<string, number>>;
  /** From the first packet to the answer of the slowest one that was served. */
  readonly slowestMs: number;
}

/** A client that was not answered for so long has failed, ms. */
const patienceMs = 10_000;

/** Clients that come all the time, each with a connection of its own: connect, log in, one command, leave. */
export class NewConnections {
  readonly #options: NewConnectionsOptions;
  readonly #loops: readonly Promise<void>[];
  readonly #failed: Record<string, number> = {};
  #served = 0;
  #slowestMs = 0;
  #started = 0;
  #stopped = false;

  constructor(options: NewConnectionsOptions) {
    this.#options = options;
    this.#loops = Array.from({ length: options.atOnce }, () => this.#run());
  }

  /** Clients that were answered up to now. */
  get served(): number {
    return this.#served;
  }

  /** Lets nobody come any more, and waits for those that are there. */
  async stop(): Promise<ConnectionReport> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    return { served: this.#served, failed: this.#failed, slowestMs: this.#slowestMs };
  }

  async #run(): Promise<void> {
    const { ports } = this.#options;
    while (!this.#stopped) {
      const port = ports[this.#started++ % ports.length] ?? 0;
      const begin = performance.now();
      const problem = await this.#visit(port);
      if (problem === undefined) {
        this.#served++;
        this.#slowestMs = Math.max(this.#slowestMs, performance.now() - begin);
      } else {
        this.#failed[problem] = (this.#failed[problem] ?? 0) + 1;
        // Who is refused comes again at once: it would be counted a thousand times.
        await delay(20);
      }
    }
  }

  /** One client; what it failed with. */
  async #visit(port: number): Promise<string | undefined> {
    const { host, password, tls } = this.#options;
    const socket: Socket =
      tls === undefined ? connectPlain({ host, port }) : connectTls({ host, port, ...tls });
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const timer = setTimeout(resolve, patienceMs, "time-out");
    let answer = "";
    socket
      .on("data", (bytes: Buffer) => {
        answer += bytes.toString("latin1");
        if (answer === "+OK\r\n+PONG\r\n") resolve(undefined);
        else if (!"+OK\r\n+PONG\r\n".startsWith(answer)) resolve(answer.trim());
      })
      .on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      .on("close", () => resolve("closed"));
    socket.write(`AUTH ${password}\r\nPING\r\n`);
    const problem = await promise;
    clearTimeout(timer);
    socket.destroy();
    return problem;
  }
}
