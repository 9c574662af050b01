import type { Server, Socket } from "node:net";
import { takeQueued } from "../../runtime/take-queued.ts";
import { createClientServer, type TlsFiles } from "../../runtime/tls-files.ts";
import { encodeError } from "../resp/encode-reply.ts";
import { Session } from "./session.ts";
import type { SessionHost } from "./session-host.ts";

/** What a {@link ClientListener} is told. */
export interface ClientListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Others listen on it, too. Default false. */
  readonly reusePort?: boolean;
  /** A client beyond these gets an error and is closed. */
  readonly maxClients: number;
  /** With it clients have to use TLS. */
  readonly tls?: TlsFiles | undefined;
  /** Told when changed files for TLS can't be used. */
  readonly onProblem: (error: unknown) => void;
}

const sweepEveryMs = 1000;
/** Clients that are closed at once while draining: they come back to the other proxies, and not all in one moment. */
const drainPerTick = 64;
const drainEveryMs = 20;

/** Accepts clients, and ends those that keep the rules of nobody. */
export class ClientListener {
  readonly #options: ClientListenerOptions;
  readonly #host: SessionHost;
  readonly #server: Server;
  readonly #sessions = new Set<Session>();
  readonly #sweep: NodeJS.Timeout;
  #lastId = 0;

  constructor(options: ClientListenerOptions, host: SessionHost) {
    this.#options = options;
    this.#host = host;
    this.#server = createClientServer(options.tls, (socket) => this.#accept(socket), options.onProblem);
    this.#sweep = setInterval(() => this.#closeOverdue(), sweepEveryMs);
    this.#sweep.unref();
  }

  get clients(): number {
    return this.#sessions.size;
  }

  /** @throws {Error} when the port is taken. */
  async listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    const { port, host, reusePort = false } = this.#options;
    this.#server.listen({ port, host, reusePort, backlog: 4096 }, resolve);
    await promise;
  }

  /** Takes no more clients, and closes each one that is there when nothing of it is under way. */
  async close(): Promise<void> {
    await takeQueued(this.#server);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    const turn = setInterval(() => {
      let closed = 0;
      for (const session of this.#sessions) {
        if (closed === drainPerTick) break;
        if (!session.departure.harmless) continue;
        session.departure.end();
        closed++;
      }
    }, drainEveryMs);
    await promise;
    clearInterval(turn);
    clearInterval(this.#sweep);
  }

  /** Ends what `close` could not. */
  destroy(): void {
    for (const session of [...this.#sessions]) session.destroy();
  }

  /** One for all clients. */
  readonly #onEnd = (session: Session): void => {
    this.#sessions.delete(session);
  };

  #accept(socket: Socket): void {
    if (this.#sessions.size >= this.#options.maxClients) {
      this.#host.metrics.dropped.inc({ reason: "max clients" });
      socket.on("error", () => undefined);
      socket.end(encodeError("ERR max number of clients reached"));
      socket.destroySoon();
      return;
    }
    this.#sessions.add(new Session(socket, ++this.#lastId, this.#host, this.#onEnd));
  }

  #closeOverdue(): void {
    const now = performance.now();
    const { partialCommandMs, authenticateWithinMs } = this.#host.limits;
    for (const session of this.#sessions) {
      if (session.departure.begun && session.output.stalled) session.departure.drop("unread replies");
      else if (session.partialSince !== undefined && now - session.partialSince > partialCommandMs) {
        session.departure.drop("partial command");
      } else if (session.unacceptedMs(now) > authenticateWithinMs && session.group().denied !== undefined) {
        session.departure.drop("not authenticated");
      }
    }
  }
}
