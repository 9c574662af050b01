import { Redis } from "ioredis";
import { type Address, formatAddress } from "./address.ts";

/** Events after which the answer to "who is master?" may have changed. */
const channels = [
  "+promoted-slave",
  "+switch-master",
  "+sdown",
  "+odown",
  "-odown",
  "+tilt",
  "-tilt",
  "-failover-abort-no-good-slave",
  "-failover-abort-not-elected",
  "-failover-abort-slave-timeout",
];

/** What {@link subscribeToSentinel} is told. */
export interface SentinelEventsOptions {
  readonly sentinel: Address;
  readonly password: () => string | undefined;
  /** Something happened. What it means is found out by asking: an event alone decides nothing. */
  readonly onEvent: (channel: string, sentinel: string) => void;
}

/** Listens to one Sentinel, and again after every loss of the connection. Gives a function that ends it. */
export function subscribeToSentinel({ sentinel, password, onEvent }: SentinelEventsOptions): () => void {
  const name = formatAddress(sentinel);
  const secret = password();
  const client = new Redis({
    host: sentinel.host,
    port: sentinel.port,
    ...(secret === undefined ? {} : { password: secret }),
    protocol: 2,
    connectTimeout: 1000,
    retryStrategy: (attempt) => Math.min(100 * attempt, 1000),
    maxRetriesPerRequest: null,
    enableReadyCheck: false,
    disableClientInfo: true,
  });
  // A Sentinel that is gone is seen by the questions that go to all of them.
  client.on("error", () => undefined);
  client.on("message", (channel: string) => onEvent(channel, name));
  client.subscribe(...channels).catch(() => undefined);
  return () => client.disconnect();
}
