import { createServer, type Server } from "node:net";
import { localPortCount } from "../../topology/site.ts";

/** First ports that this process has handed out, with the servers that keep them from all other processes. */
const taken = new Map<number, Server>();

/**
 * A first port for a local topology. No other process gets it while this one lives: it listens on the last port of the
 * range, which no topology uses. A range whose first port is free again is handed out again only when all others are taken.
 */
export async function freeBasePort(): Promise<number> {
  const ranges = Array.from({ length: 20 }, (_, i) => 10_000 + i * localPortCount);
  const begin = Math.floor(Math.random() * ranges.length);
  for (const port of [...ranges.slice(begin), ...ranges.slice(0, begin)]) {
    if (taken.has(port)) continue;
    const reservation = await listen(port + localPortCount - 1);
    if (reservation === undefined) continue;
    if (await isFree(port)) {
      // It ends with the process, whatever ends that.
      reservation.unref();
      taken.set(port, reservation);
      return port;
    }
    reservation.close();
  }
  for (const [port, reservation] of taken) {
    if (!(await isFree(port))) continue;
    // The one that was handed out longest ago comes first.
    taken.delete(port);
    taken.set(port, reservation);
    return port;
  }
  throw new Error("no free range of ports between 10000 and 30000");
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  server?.close();
  return server !== undefined;
}

async function listen(port: number): Promise<Server | undefined> {
  const { promise, resolve } = Promise.withResolvers<Server | undefined>();
  const server = createServer()
    .once("error", () => resolve(undefined))
    .listen({ port, host: "127.0.0.1", exclusive: true }, () => resolve(server));
  return promise;
}
