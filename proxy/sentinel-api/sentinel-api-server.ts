import type { Server, Socket } from "node:net";
import { type Address, formatAddress } from "../../runtime/address.ts";
import { takeQueued } from "../../runtime/take-queued.ts";
import { createClientServer, type TlsFiles } from "../../runtime/tls-files.ts";
import { encodeError } from "../resp/encode-reply.ts";
import { ClientConnection } from "./client-connection.ts";
import type { Authenticate, SentinelApi } from "./client-session.ts";
import { ClientState } from "./client-state.ts";
import type { SentinelApiView } from "./sentinel-api-view.ts";

export interface SentinelApiServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Others listen on it, too. Default false. */
  readonly reusePort?: boolean;
  readonly maxClients: number;
  /** With it clients have to use TLS. */
  readonly tls?: TlsFiles | undefined;
  readonly view: () => SentinelApiView;
  /** Undefined: there is no password. */
  readonly authenticate: Authenticate | undefined;
  /** The version of Redis that HELLO and INFO tell. */
  readonly redisVersion: () => string;
  /** Is told of an error that is ours. */
  readonly report: (error: unknown) => void;
  /** Milliseconds for the rest of a command, for the first authentication, and for reading answers. Default 10 000. */
  readonly patienceMs?: number;
}

/** The proxy's own Sentinel API: a Sentinel that knows one master, the proxy. */
export class SentinelApiServer {
  readonly #options: SentinelApiServerOptions;
  readonly #server: Server;
  readonly #api: SentinelApi;
  readonly #clients = new Set<ClientConnection>();
  readonly #startedAtMs = performance.now();
  #closing = false;
  #lastId = 0;

  constructor(options: SentinelApiServerOptions) {
    this.#options = options;
    this.#server = createClientServer(options.tls, (socket) => this.#accept(socket), options.report);
    this.#api = {
      view: options.view,
      authenticate: options.authenticate,
      report: options.report,
      now: () => performance.now(),
      clients: () => [...this.#clients].map(({ state }) => state),
      facts: () => ({
        redisVersion: options.redisVersion(),
        tcpPort: this.port,
        processId: process.pid,
        uptimeSeconds: Math.floor((performance.now() - this.#startedAtMs) / 1000),
        connectedClients: this.clients,
        maxClients: options.maxClients,
      }),
    };
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** The port it listens on. */
  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === "object" ? address.port : this.#options.port;
  }

  /** @throws {Error} when the port can't be listened on. */
  async listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { port, host, reusePort = false } = this.#options;
    this.#server.once("error", reject).listen({ port, host, reusePort }, resolve);
    await promise;
    this.#server.off("error", reject);
  }

  /**
   * Tells all subscribers of `+switch-master` that the master has moved, so that they connect anew. Only for a proxy that
   * drains: at a failover of Redis the announced address stays, and some clients disconnect on every such message.
   *
   * @param to default: the announced address, which leads to another proxy once this one is no longer ready.
   */
  publishSwitchMaster(to?: Address): void {
    const { masterName, announced } = this.#options.view();
    const { host, port } = to ?? announced;
    const message = `${masterName} ${announced.host} ${announced.port} ${host} ${port}`;
    for (const client of this.#clients) client.publish("+switch-master", message);
  }

  /** Takes no more clients, sends what is answered already and ends those that are there. */
  async close(): Promise<void> {
    await takeQueued(this.#server);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closing = true;
    this.#server.close(() => resolve());
    for (const client of this.#clients) client.end();
    await promise;
  }

  #accept(socket: Socket): void {
    if (this.#clients.size >= this.#options.maxClients) {
      socket.on("error", () => undefined).write(encodeError("ERR max number of clients reached"));
      socket.destroySoon();
      return;
    }
    const state = new ClientState(
      ++this.#lastId,
      name(socket.remoteAddress, socket.remotePort),
      name(socket.localAddress, socket.localPort),
      performance.now(),
    );
    const { patienceMs = 10_000 } = this.#options;
    const client = new ClientConnection({ socket, state, api: this.#api, patienceMs });
    this.#clients.add(client);
    socket.once("close", () => this.#clients.delete(client));
    // Its handshake was under way: it would keep this proxy from ending.
    if (this.#closing) client.end();
  }
}

function name(host: string | undefined, port: number | undefined): string {
  return host === undefined || port === undefined ? "" : formatAddress({ host, port });
}
