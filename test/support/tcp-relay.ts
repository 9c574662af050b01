import { connect, createServer, type Server, type Socket } from "node:net";

/** Stands between a client and a server, and cuts them off. */
export class TcpRelay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** How many bytes it passes on from the client, and from the server, before it cuts all connections off, once. */
  #cutAfter: { from: "client" | "server"; bytes: number } | undefined;
  /** What comes isn't passed on, and nobody is told. */
  silent = false;
  /** Connections that it has cut off. */
  cuts = 0;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => {
      const server = connect(targetPort, "127.0.0.1");
      this.#pass(client, server, "client");
      this.#pass(server, client, "server");
    });
  }

  static async start(targetPort: number): Promise<TcpRelay> {
    const relay = new TcpRelay(targetPort);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    relay.#server.once("error", reject).listen(0, "127.0.0.1", resolve);
    await promise;
    return relay;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the relay doesn't listen");
    return address.port;
  }

  /** Cuts everything off once, when so many more bytes have come from there. */
  cutAfter(from: "client" | "server", bytes: number): void {
    this.#cutAfter = { from, bytes };
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #pass(from: Socket, to: Socket, side: "client" | "server"): void {
    this.#sockets.add(from);
    from
      .on("error", () => {})
      .on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    from.on("data", (data: Buffer) => {
      if (this.silent) return;
      const cut = this.#cutAfter;
      if (cut?.from === side) {
        cut.bytes -= data.byteLength;
        if (cut.bytes < 0) {
          this.#cutAfter = undefined;
          this.cuts++;
          for (const socket of this.#sockets) socket.resetAndDestroy();
          return;
        }
      }
      if (!to.write(data)) {
        from.pause();
        to.once("drain", () => from.resume());
      }
    });
  }
}
