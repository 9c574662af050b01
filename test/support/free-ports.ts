import { createServer } from "node:net";
import { localPortCount } from "../../topology/site.ts";

/** A first port for a local topology: nobody listens on it now, and runs at the same time get different ones. */
export async function freeBasePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 20) * localPortCount;
    if (await isFree(port)) return port;
  }
  throw new Error("no free range of ports between 10000 and 30000");
}

async function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer()
    .once("error", () => resolve(false))
    .listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  return promise;
}
