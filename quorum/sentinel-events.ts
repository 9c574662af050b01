import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { type Address, formatAddress } from "../runtime/address.ts";
import { afterSocketsWereRead } from "../runtime/after-sockets-were-read.ts";
import { serverName, type TlsFiles } from "../runtime/tls-files.ts";

/** The leader has chosen a replica, which it is going to promote a tenth of a second later. */
export const replicaSelected = "+selected-slave";

/** The leader is about to promote a replica: whatever the master still acknowledges may be lost. */
const failoverBegins: readonly string[] = [replicaSelected, "+failover-state-send-slaveof-noone"];
const failoverAborts: readonly string[] = [
  "-failover-abort-no-good-slave",
  "-failover-abort-not-elected",
  "-failover-abort-slave-timeout",
];

/** What an event says about a failover. */
export interface FailoverStep {
  readonly kind: "begins" | "aborts";
  /** The master that is, or was, to be replaced, as the Sentinels name it. */
  readonly master: Address;
}

/** What an event says about a failover of this master; undefined: nothing. */
export function failoverStep(channel: string, message: string, masterName: string): FailoverStep | undefined {
  const kind = failoverBegins.includes(channel)
    ? "begins"
    : failoverAborts.includes(channel)
      ? "aborts"
      : undefined;
  // `slave <name> <ip> <port> @ <master> <ip> <port>`, `master <master> <ip> <port>`
  const words = message.split(" ");
  const [name, host, port] = words.slice(words[0] === "master" ? 1 : words.indexOf("@") + 1);
  if (kind === undefined || name !== masterName || host === undefined) return undefined;
  return { kind, master: { host, port: Number(port) } };
}

/** The leader has ordered a replica to become the master, and waits until it sees that it is one. */
export const promotionOrdered = "+failover-state-wait-promotion";

/** A Sentinel names another master than before. */
export const masterSwitched = "+switch-master";

/** The instance that an event tells the promotion of, be it under way; undefined: it tells of none, or of another master's. */
export function promotedAddress(channel: string, message: string, masterName: string): Address | undefined {
  const words = message.split(" ");
  // `slave <name> <ip> <port> @ <master> <ip> <port>`; `<master> <old ip> <old port> <ip> <port>`
  const [name, host, port] =
    channel === "+promoted-slave" || channel === promotionOrdered
      ? [words[words.indexOf("@") + 1], words[2], words[3]]
      : channel === masterSwitched
        ? [words[0], words[3], words[4]]
        : [];
  return name === masterName && host !== undefined ? { host, port: Number(port) } : undefined;
}

/** Events after which the answer to "who is master?" may have changed. */
const masterEvents = [
  "+promoted-slave",
  masterSwitched,
  "+sdown",
  "+odown",
  "-odown",
  "+tilt",
  "-tilt",
  ...failoverBegins,
  ...failoverAborts,
];

export interface SentinelEventsOptions {
  readonly sentinel: Address;
  /** The user that the password belongs to. Default: the one named `default`. */
  readonly username?: string | undefined;
  readonly password: () => string | undefined;
  /** With it the connection is encrypted. */
  readonly tls?: TlsFiles | undefined;
  /** The names of the events. Default: those after which the answer to "who is master?" may have changed. */
  readonly channels?: readonly string[];
  /** Something happened. What it means is found out by asking: an event alone decides nothing. */
  readonly onEvent: (channel: string, sentinel: string, message: string) => void;
}

/** Stands for events that may have been missed while there was no connection. */
export const reconnected = "reconnected";

/**
 * Whoever only listens sends nothing, and so never learns that the other side's host is gone: the kernel would ask it after two hours. So it is asked so often
 * for a sign of life, ms, and given up without one. An answer that this process was too late to read counts.
 */
const askEveryMs = 2000;
const answersWithinMs = 1000;

/** Listens to one Sentinel, and again after every loss of the connection. Gives a function that ends it. */
export function subscribeToSentinel({
  sentinel,
  username,
  password,
  tls,
  channels = masterEvents,
  onEvent,
}: SentinelEventsOptions): () => void {
  const name = formatAddress(sentinel);
  const client = new Redis({
    host: sentinel.host,
    port: sentinel.port,
    ...(username === undefined ? {} : { username }),
    protocol: 2,
    lazyConnect: true,
    connectTimeout: 1000,
    retryStrategy: (attempt) => {
      readSecretsInto(client, sentinel, password, tls);
      return Math.min(100 * attempt, 1000);
    },
    maxRetriesPerRequest: null,
    enableReadyCheck: false,
    // Subscribed on each connection below: one that was refused with an old password has nothing to restore.
    autoResubscribe: false,
    // Nor has what a connection was never answered: of a Sentinel that freezes for hours it would grow with each attempt.
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
  });
  // A Sentinel that is gone is seen by the questions that go to all of them.
  client.on("error", () => undefined);
  client.on("message", (channel: string, message: string) => onEvent(channel, name, message));
  client.on("ready", () => {
    client.subscribe(...channels).then(
      () => onEvent(reconnected, name, ""),
      // Without the right password. Another connection reads it again.
      () => client.disconnect(true),
    );
  });
  readSecretsInto(client, sentinel, password, tls);
  client.connect().catch(() => undefined);
  const asking = setInterval(() => void dropWhenSilent(client), askEveryMs).unref();
  return () => {
    clearInterval(asking);
    client.disconnect();
  };
}

async function dropWhenSilent(client: Redis): Promise<void> {
  if (client.status !== "ready") return;
  const { stream } = client;
  let answered = false;
  // An error is an answer, too.
  client
    .ping()
    .finally(() => {
      answered = true;
    })
    .catch(() => undefined);
  await delay(answersWithinMs, undefined, { ref: false });
  afterSocketsWereRead(() => {
    if (!answered) stream.destroy();
  });
}

/** What can't be read just now may be readable at the next connection; until then the last one is used. */
function readSecretsInto(
  client: Redis,
  sentinel: Address,
  password: () => string | undefined,
  tls: TlsFiles | undefined,
): void {
  try {
    if (tls !== undefined) client.options.tls = { ...tls.read(), ...serverName(sentinel) };
    const secret = password();
    if (secret === undefined) delete client.options.password;
    else client.options.password = secret;
  } catch {
    // The questions that go to all Sentinels fail with this error and tell it.
  }
}
