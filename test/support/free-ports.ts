import { createServer, type Server } from "node:net";
import { localPortCount } from "../../components/topology/site.ts";
import { portsInUse } from "../../runtime/ports-in-use.ts";

/** First ports that this process has handed out, with the servers that keep them from all other processes. */
const taken = new Map<number, Server>();

/**
 * A first port for a local topology. No other process gets it while this one lives: it listens on the last port of the
 * range, which no topology uses. A range whose ports are free again is handed out again only when all others are taken.
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

/** Nobody listens on any port of the range but its last: what a killed run has left may be anywhere in it. */
async function isFree(first: number): Promise<boolean> {
  const ports = Array.from({ length: localPortCount - 1 }, (_, i) => first + i);
  return (await portsInUse(ports)).length === 0;
}

async function listen(port: number): Promise<Server | undefined> {
  const { promise, resolve } = Promise.withResolvers<Server | undefined>();
  const server = createServer()
    .once("error", () => resolve(undefined))
    .listen({ port, host: "127.0.0.1", exclusive: true }, () => resolve(server));
  return promise;
}
