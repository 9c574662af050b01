import type { Server } from "node:net";
import { setImmediate } from "node:timers/promises";

/** Turns of the event loop without a new client, after which none is taken to be left. */
const quietTurns = 3;
/** Whoever comes without end is not waited for, ms. */
const patienceMs = 1000;

/**
 * Takes the clients that are connected for the kernel and not yet for this program: the close of the listening socket would reset
 * them. Node takes one in each turn of its event loop.
 */
export async function takeQueued(server: Server): Promise<void> {
  let quiet = 0;
  const onConnection = (): void => {
    quiet = 0;
  };
  server.on("connection", onConnection);
  const deadline = performance.now() + patienceMs;
  while (quiet++ < quietTurns && performance.now() < deadline) await setImmediate();
  server.off("connection", onConnection);
}
