import { Redis } from "ioredis";
import { type Address, formatAddress, parseAddress, sameAddress } from "../../runtime/address.ts";
import type { Announcement } from "./find-stale-writes.ts";
import { monotonicMs } from "./monotonic-clock.ts";

/** Any event of a Sentinel. */
export interface SentinelEvent {
  readonly sentinel: string;
  readonly channel: string;
  readonly message: string;
  readonly atMs: number;
}

export interface SentinelAnnouncementsOptions {
  readonly sentinels: readonly Address[];
  readonly masterName: string;
  readonly username: string;
  readonly password: string;
  /** Told of each announcement of a new master, by each Sentinel. */
  readonly onAnnouncement?: (announcement: Announcement) => void;
}

/** Subscriptions of the harness's own to all Sentinels: what they announced, and when. */
export class SentinelAnnouncements {
  readonly #masterName: string;
  readonly #clients: readonly Redis[];
  readonly #events: SentinelEvent[] = [];

  constructor({ sentinels, masterName, username, password, onAnnouncement }: SentinelAnnouncementsOptions) {
    this.#masterName = masterName;
    this.#clients = sentinels.map((sentinel) => {
      const client = new Redis({
        host: sentinel.host,
        port: sentinel.port,
        username,
        password,
        protocol: 2,
        enableReadyCheck: false,
        maxRetriesPerRequest: null,
        retryStrategy: () => 100,
        disableClientInfo: true,
      });
      // A Sentinel that was killed is subscribed to again when it is back.
      client.on("error", () => undefined);
      client.psubscribe("+*", "-*").catch(() => undefined);
      client.on("pmessage", (_pattern: string, channel: string, message: string) => {
        const event = { sentinel: formatAddress(sentinel), channel, message, atMs: monotonicMs() };
        this.#events.push(event);
        const master = announcedMaster(event, masterName);
        if (master !== undefined) onAnnouncement?.({ ...event, master });
      });
      return client;
    });
  }

  /** Resolves when all Sentinels are listened to. */
  async ready(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.psubscribe("+*", "-*")));
  }

  /** All events from a moment on. */
  since(atMs: number): readonly SentinelEvent[] {
    return this.#events.filter((event) => event.atMs >= atMs);
  }

  /** The new masters that were announced from a moment on, by each Sentinel. */
  announcedSince(atMs: number): Announcement[] {
    return this.since(atMs).flatMap((event) => {
      const master = announcedMaster(event, this.#masterName);
      return master === undefined ? [] : [{ ...event, master }];
    });
  }

  /** The first announcement, since then, of another master than this one. */
  firstSince(atMs: number, before: Address): Announcement | undefined {
    return this.announcedSince(atMs).find(({ master }) => !sameAddress(master, before));
  }

  close(): void {
    for (const client of this.#clients) client.disconnect();
  }
}

/**
 * The new master that an event names. `+promoted-slave slave <name> <ip> <port> @ <master> …` comes from the failover's
 * leader, `+switch-master <master> <old ip> <old port> <ip> <port>` from all others, and last from the leader.
 */
export function announcedMaster(
  { channel, message }: Pick<SentinelEvent, "channel" | "message">,
  masterName: string,
): Address | undefined {
  const words = message.split(" ");
  if (channel === "+switch-master" && words[0] === masterName) return parseAddress(`${words[3]}:${words[4]}`);
  if (channel === "+promoted-slave" && words[5] === masterName)
    return parseAddress(`${words[2]}:${words[3]}`);
  return undefined;
}
