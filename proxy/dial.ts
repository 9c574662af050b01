import { connect, type Socket } from "node:net";
import type { Address } from "../quorum/address.ts";

const connectTimeoutMs = 1000;

/** Connects, or gives undefined when nobody accepts within a second. */
export async function dial({ host, port }: Address): Promise<Socket | undefined> {
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>();
  const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
  const timer = setTimeout(() => socket.destroy(), connectTimeoutMs);
  socket.on("error", () => undefined);
  socket.once("connect", () => resolve(socket)).once("close", () => resolve(undefined));
  const connected = await promise;
  clearTimeout(timer);
  return connected;
}
