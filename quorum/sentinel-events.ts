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

/** Stands for events that may have been missed while there was no connection. */
const reconnected = "reconnected";

/** Listens to one Sentinel, and again after every loss of the connection. Gives a function that ends it. */
export function subscribeToSentinel({ sentinel, password, onEvent }: SentinelEventsOptions): () => void {
  const name = formatAddress(sentinel);
  const client = new Redis({
    host: sentinel.host,
    port: sentinel.port,
    protocol: 2,
    lazyConnect: true,
    connectTimeout: 1000,
    retryStrategy: (attempt) => {
      readPasswordInto(client, password);
      return Math.min(100 * attempt, 1000);
    },
    maxRetriesPerRequest: null,
    enableReadyCheck: false,
    // Subscribed on each connection below: one that was refused with an old password has nothing to restore.
    autoResubscribe: false,
    disableClientInfo: true,
  });
  // A Sentinel that is gone is seen by the questions that go to all of them.
  client.on("error", () => undefined);
  client.on("message", (channel: string) => onEvent(channel, name));
  client.on("ready", () => {
    client.subscribe(...channels).then(
      () => onEvent(reconnected, name),
      // Without the right password. Another connection reads it again.
      () => client.disconnect(true),
    );
  });
  readPasswordInto(client, password);
  client.connect().catch(() => undefined);
  return () => client.disconnect();
}

/** A password that can't be read just now may be readable at the next connection; until then the last one is used. */
function readPasswordInto(client: Redis, password: () => string | undefined): void {
  try {
    const secret = password();
    if (secret === undefined) delete client.options.password;
    else client.options.password = secret;
  } catch {
    // The questions that go to all Sentinels fail with this error and tell it.
  }
}
