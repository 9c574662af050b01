import { createServer, type Server, type Socket } from "node:net";
import type { Logger } from "pino";
import { type Address, formatAddress, sameAddress } from "../quorum/address.ts";
import type { MasterState } from "../quorum/master-state.ts";
import { dial } from "./dial.ts";
import { RelaySession } from "./relay-session.ts";

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

/** Connects each client with the verified master, byte by byte, and with nobody else. */
export class TcpRelay {
  readonly #options: TcpRelayOptions;
  readonly #server: Server;
  readonly #sessions = new Set<RelaySession>();
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
        if (session.master !== undefined && !sameAddress(session.master, state.master)) session.cut();
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
      for (const session of this.#sessions) if (session.master !== undefined) session.cut();
    }
  }

  /** Takes no more clients and ends each that is there after the replies that it waits for. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const session of this.#sessions) session.drain();
    await promise;
  }

  /** Ends what `close` could not. */
  destroy(): void {
    for (const session of this.#sessions) session.cut();
  }

  async #serve(client: Socket): Promise<void> {
    const session = new RelaySession(client, () => this.#sessions.delete(session));
    this.#sessions.add(session);
    if (!(await this.#joinMaster(session)) && !session.ending) {
      session.refuse("-LOADING no master available: the command was not executed, try again\r\n");
    }
  }

  /** Connects a session with the master; false when there was none within the hold time, or the client left. */
  async #joinMaster(session: RelaySession): Promise<boolean> {
    const deadline = performance.now() + this.#options.holdTimeoutMs;
    while (!session.ending) {
      const left = deadline - performance.now();
      if (left <= 0) return false;
      const master = this.#master;
      if (master === undefined) {
        session.hold();
        await within(this.#masterFound.promise, left);
        continue;
      }
      const upstream = await dial(master);
      const current = this.#master !== undefined && sameAddress(this.#master, master);
      if (upstream !== undefined && current && !session.ending) {
        session.join(upstream, master);
        upstream.once("close", () => this.#options.onUpstreamProblem());
        return true;
      }
      upstream?.destroy();
      if (session.ending) return false;
      session.hold();
      this.#options.log.debug({ master: formatAddress(master) }, "the master can't be reached");
      this.#options.onUpstreamProblem();
      await within(new Promise(() => undefined), Math.min(left, 50));
    }
    return false;
  }
}

/** Waits for a promise, but not longer than `ms`. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  const { promise: elapsed, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, elapsed]);
  clearTimeout(timer);
}
