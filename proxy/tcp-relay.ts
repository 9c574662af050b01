import { createServer, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import type { Logger } from "pino";
import { type Address, formatAddress, sameAddress } from "../quorum/address.ts";
import type { MasterState } from "../quorum/master-state.ts";
import { dial } from "./dial.ts";

/** What a {@link TcpRelay} is told. */
export interface TcpRelayOptions {
  readonly host: string;
  readonly port: number;
  readonly maxClients: number;
  /** How long a client waits while there is no master. */
  readonly holdTimeoutMs: number;
  readonly log: Logger;
  /** An upstream looks dead: the watcher should look now and not at its next turn. */
  readonly onUpstreamProblem: () => void;
}

interface Session {
  readonly client: Socket;
  upstream: Socket | undefined;
  master: Address | undefined;
}

/** Connects each client with the verified master, byte by byte, and with nobody else. */
export class TcpRelay {
  readonly #options: TcpRelayOptions;
  readonly #server: Server;
  readonly #sessions = new Set<Session>();
  #master: Address | undefined;
  #masterFound = Promise.withResolvers<void>();

  constructor(options: TcpRelayOptions) {
    this.#options = options;
    // A client's bytes stay in the kernel until its upstream is there.
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (client) => {
      this.#serve(client).catch((error: unknown) =>
        options.log.debug({ error: String(error) }, "a session ended"),
      );
    });
    this.#server.maxConnections = options.maxClients;
  }

  get clients(): number {
    return this.#sessions.size;
  }

  async listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject).listen(this.#options.port, this.#options.host, resolve);
    await promise;
  }

  /** From now on clients are connected to this master; connections to another one are cut. */
  follow(state: MasterState): void {
    if (state.kind === "following") {
      this.#master = state.master;
      for (const session of this.#sessions) {
        if (session.master !== undefined && !sameAddress(session.master, state.master)) this.#cut(session);
      }
      this.#masterFound.resolve();
    } else {
      this.#master = undefined;
      // Those who wait already go on waiting.
      this.#masterFound.resolve();
      this.#masterFound = Promise.withResolvers<void>();
      // One lost answer is no reason to cut everybody off who is served.
      if (state.suspect !== undefined) return;
      // Whatever the old master still answers may never become true.
      for (const session of this.#sessions) if (session.master !== undefined) this.#cut(session);
    }
  }

  /** Takes no more clients and ends those that are there. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const session of this.#sessions) session.client.end();
    await promise;
  }

  /** Ends what `close` could not. */
  destroy(): void {
    for (const session of this.#sessions) this.#cut(session);
  }

  async #serve(client: Socket): Promise<void> {
    const session: Session = { client, upstream: undefined, master: undefined };
    this.#sessions.add(session);
    client.on("error", () => undefined);
    client.once("close", () => {
      this.#sessions.delete(session);
      session.upstream?.destroy();
    });
    const upstream = await this.#reachMaster(session);
    if (upstream === undefined) {
      client.end("-LOADING no master available: the command was not executed, try again\r\n");
      client.resume();
      return;
    }
    await Promise.all([pipeline(client, upstream), pipeline(upstream, client)]).catch(() =>
      this.#cut(session),
    );
  }

  /** A connection to the master, or undefined when none can be had within the hold time. */
  async #reachMaster(session: Session): Promise<Socket | undefined> {
    const deadline = performance.now() + this.#options.holdTimeoutMs;
    while (!session.client.destroyed) {
      const left = deadline - performance.now();
      if (left <= 0) return undefined;
      const master = this.#master;
      if (master === undefined) {
        await within(this.#masterFound.promise, left);
        continue;
      }
      const upstream = await dial(master);
      if (upstream !== undefined && this.#master !== undefined && sameAddress(this.#master, master)) {
        session.upstream = upstream;
        session.master = master;
        upstream.once("close", () => this.#options.onUpstreamProblem());
        return upstream;
      }
      upstream?.destroy();
      this.#options.log.debug({ master: formatAddress(master) }, "the master can't be reached");
      this.#options.onUpstreamProblem();
      await within(new Promise(() => undefined), Math.min(left, 50));
    }
    return undefined;
  }

  #cut({ client, upstream }: Session): void {
    upstream?.destroy();
    client.destroy();
  }
}

/** Waits for a promise, but not longer than `ms`. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  const { promise: elapsed, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, elapsed]);
  clearTimeout(timer);
}
