import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { frameCommand } from "./resp-frames.ts";

/** How a client leaves. */
export const departures = ["close", "reset", "half-close"] as const;
export type Departure = (typeof departures)[number];

/** A blocking command on a key that is empty, what would wake it, and how many elements are there when nobody took one. */
export interface BlockingCase {
  readonly name: string;
  /** Done before the client comes. */
  readonly before?: (key: string) => string;
  readonly command: (key: string) => string;
  readonly push?: (key: string) => string;
  /** A command whose answer is 1 when the element is still there. */
  readonly left?: (key: string) => string;
}

const list = { push: (key: string) => `RPUSH ${key} a`, left: (key: string) => `LLEN ${key}` };
const sortedSet = { push: (key: string) => `ZADD ${key} 1 a`, left: (key: string) => `ZCARD ${key}` };
const stream = { push: (key: string) => `XADD ${key} 1-1 a b`, left: (key: string) => `XLEN ${key}` };

/** Every command of Redis 7.0 that blocks. */
export const blockingCases: readonly BlockingCase[] = [
  { name: "BLPOP", command: (key) => `BLPOP ${key} 0`, ...list },
  { name: "BRPOP", command: (key) => `BRPOP ${key} 0`, ...list },
  { name: "BLMOVE", command: (key) => `BLMOVE ${key} ${key}:to LEFT LEFT 0`, ...list },
  { name: "BRPOPLPUSH", command: (key) => `BRPOPLPUSH ${key} ${key}:to 0`, ...list },
  { name: "BLMPOP", command: (key) => `BLMPOP 0 1 ${key} LEFT`, ...list },
  { name: "BZPOPMIN", command: (key) => `BZPOPMIN ${key} 0`, ...sortedSet },
  { name: "BZPOPMAX", command: (key) => `BZPOPMAX ${key} 0`, ...sortedSet },
  { name: "BZMPOP", command: (key) => `BZMPOP 0 1 ${key} MIN`, ...sortedSet },
  { name: "XREAD", command: (key) => `XREAD BLOCK 0 STREAMS ${key} $`, ...stream },
  {
    name: "XREADGROUP",
    before: (key) => `XGROUP CREATE ${key} g $ MKSTREAM`,
    command: (key) => `XREADGROUP GROUP g c BLOCK 0 STREAMS ${key} >`,
    push: (key) => `XADD ${key} 1-1 a b`,
    // Of those that were not read by the group there is one.
    left: (key) => `EVAL return(redis.call('XINFO','GROUPS',KEYS[1])[1][12]) 1 ${key}`,
  },
  { name: "WAIT", command: () => "WAIT 1 0" },
];

/** Connects to a port of this machine. */
export async function connectRaw(port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
  socket.once("connect", resolve).once("error", reject);
  await promise;
  return socket.off("error", reject).on("error", () => undefined);
}

/** Sends commands all at once, waits so many ms, and leaves. Nothing is read. */
export async function sendAndLeave(
  port: number,
  commands: readonly string[],
  afterMs: number,
  departure: Departure,
): Promise<Socket> {
  const socket = await connectRaw(port);
  socket.write(commands.map((command) => frameCommand(command.split(" "))).join(""));
  if (afterMs > 0) await waitExactly(afterMs);
  await leave(socket, departure);
  return socket;
}

/** Leaves; when it resolves, the other side's kernel knows. */
export async function leave(socket: Socket, departure: Departure): Promise<void> {
  if (departure === "reset") socket.resetAndDestroy();
  else if (departure === "close") socket.destroy();
  else await new Promise<void>((resolve) => socket.end(resolve));
}

/** Timers know whole milliseconds only. */
async function waitExactly(ms: number): Promise<void> {
  if (ms >= 1) {
    await delay(ms);
    return;
  }
  const until = performance.now() + ms;
  while (performance.now() < until) await new Promise<void>((resolve) => setImmediate(resolve));
}
