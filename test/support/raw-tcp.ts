import { connect, createServer, type Server, type Socket } from "node:net";
import { eventually } from "./eventually.ts";

/** A TCP server that keeps what it gets and answers only when a test says so. */
export class RawServer {
  received = "";
  /** Ends a connection when the client does, as Redis. */
  endsWithClient = true;
  /** Connections in the order in which they came. */
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      this.sockets.push(socket);
      socket
        .on("error", () => undefined)
        .on("data", (chunk: Buffer) => {
          this.received += chunk.toString("latin1");
        })
        .on("end", () => {
          if (this.endsWithClient) socket.end();
        });
    });
  }

  async start(): Promise<this> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject).listen(0, "127.0.0.1", resolve);
    await promise;
    return this;
  }

  get address(): { readonly host: string; readonly port: number } {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("not started");
    return { host: "127.0.0.1", port: address.port };
  }

  send(text: string): void {
    for (const socket of this.sockets) if (!socket.destroyed) socket.write(text);
  }

  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const socket of this.sockets) socket.destroy();
    await promise;
  }
}

/** A TCP client that keeps what it gets, and how its connection ended. */
export class RawClient {
  received = "";
  /** The other side has ended the connection in order. */
  ended = false;
  closed = false;
  error: Error | undefined;
  readonly socket: Socket;

  private constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
    this.socket
      .on("data", (chunk: Buffer) => {
        this.received += chunk.toString("latin1");
      })
      .on("end", () => {
        this.ended = true;
      })
      .on("error", (error) => {
        this.error = error;
      })
      .on("close", () => {
        this.closed = true;
      });
  }

  static async connect(port: number): Promise<RawClient> {
    const client = new RawClient(port);
    await eventually(() => {
      if (client.socket.connecting) throw new Error("not connected");
    });
    return client;
  }
}
