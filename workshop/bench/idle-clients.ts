import { connect, type Socket } from "node:net";
import { residentMiB } from "./process-cost.ts";

/** What so many idle clients cost the proxy. */
export interface IdleCost {
  readonly clients: number;
  readonly beforeMiB: number;
  readonly withClientsMiB: number;
}

const atATime = 200;

/** Connects idle clients, each of which has sent one PING, and measures the proxy's memory. @throws {Error} when they can't connect. */
export async function measureIdleClients(port: number, pid: number, count: number): Promise<IdleCost> {
  const beforeMiB = residentMiB(pid);
  const sockets: Socket[] = [];
  try {
    while (sockets.length < count) {
      const size = Math.min(atATime, count - sockets.length);
      sockets.push(...(await Promise.all(Array.from({ length: size }, () => connectIdle(port)))));
    }
    return { clients: sockets.length, beforeMiB, withClientsMiB: residentMiB(pid) };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

async function connectIdle(port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
  socket.once("data", () => resolve(socket));
  socket.once("error", reject);
  return promise;
}
