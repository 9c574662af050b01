import { createServer, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import type { Address } from "../quorum/address.ts";
import { dial } from "./dial.ts";

/** Connects Sentinel clients with the first Sentinel that accepts: one address for all of them. */
export class SentinelRelay {
  readonly #sentinels: readonly Address[];
  readonly #server: Server;
  readonly #clients = new Set<Socket>();

  constructor(sentinels: readonly Address[], maxClients: number) {
    this.#sentinels = sentinels;
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (client) => {
      this.#serve(client).catch(() => client.destroy());
    });
    this.#server.maxConnections = maxClients;
  }

  async listen(port: number, host: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject).listen(port, host, resolve);
    await promise;
  }

  /** Takes no more clients and ends those that are there: they reconnect elsewhere. */
  close(): void {
    this.#server.close();
    for (const client of this.#clients) client.destroy();
  }

  async #serve(client: Socket): Promise<void> {
    this.#clients.add(client);
    client.on("error", () => undefined).once("close", () => this.#clients.delete(client));
    for (const sentinel of this.#sentinels) {
      const upstream = await dial(sentinel);
      if (upstream === undefined) continue;
      await Promise.all([pipeline(client, upstream), pipeline(upstream, client)]);
      return;
    }
    client.end("-ERR no Sentinel can be reached, try again\r\n");
    client.resume();
  }
}
