import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { formatAddress, sameAddress } from "../quorum/address.ts";
import { askKnownSentinels, askPromotionStage, type KnownSentinel } from "../quorum/ask-failover.ts";
import { askRole, type Role } from "../quorum/ask-role.ts";
import type { ControlConnection } from "../quorum/control-connection.ts";
import { messageOf } from "../runtime/log.ts";
import type { PromotionOrder } from "./promotion-orders.ts";

/** What {@link announcePromotion} works with. */
export interface AnnouncePromotionOptions {
  readonly order: PromotionOrder;
  readonly masterName: string;
  /** This instance's own server. */
  readonly server: ControlConnection;
  /** The other instances. */
  readonly peers: readonly ControlConnection[];
  readonly sentinels: readonly ControlConnection[];
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const lookEveryMs = 5;
/** How long the order may take: the disk to which the configuration is written may be slow. */
const promotedWithinMs = 2000;
/** How long an order is believed when its leader can't be asked any more: far less than another election takes. */
const believedForMs = 500;
/** How long a replica, and the old master's stepping down, are waited for before clients may come. */
const settledWithinMs = 100;

/** The channel on which Sentinels tell one another who is master. */
const helloChannel = "__sentinel__:hello";

/**
 * Tells the other Sentinels of this instance's promotion at once, in the words in which the failover's leader is going to: that one sees it
 * only with its next `INFO`, up to a second later, and clients wait for it. They believe it because the epoch is newer than any that they
 * know, and only its leader, whom a majority has elected, can have promoted somebody in it. Does nothing unless this instance really is
 * a master, and the leader still waits for that or has died since it gave the order.
 */
export async function announcePromotion(options: AnnouncePromotionOptions): Promise<void> {
  const { order, masterName, peers, sentinels, log } = options;
  const leader = sentinels.find(({ address }) => sameAddress(address, order.leader));
  if (order.epoch === undefined || leader === undefined) return;
  const isMaster = (role: Role): boolean => role.kind === "master";
  if (!(await becomes(options, isMaster, promotedWithinMs))) return;
  const stage = await askPromotionStage(leader, masterName).catch(() => undefined);
  const overtaken = stage === undefined ? performance.now() - order.heardAtMs > believedForMs : !stage.waits;
  if (overtaken) return;
  // Without a replica it would refuse writes. And an old master that runs must have refused the last ones before clients leave it.
  const expected = peers.length - (stage?.masterDown === false ? 0 : 1);
  await becomes(
    options,
    (role) => role.kind !== "master" || role.replicas.length >= expected,
    settledWithinMs,
  );
  if (!(await becomes(options, isMaster, 0))) return;
  const others = sentinels.filter((sentinel) => sentinel !== leader);
  const results = await Promise.allSettled(
    others.map(async (sentinel) => {
      const known = await askKnownSentinels(sentinel, masterName);
      const sender = known.find((other) => sameAddress(other, order.leader));
      if (sender === undefined) throw new Error(`${formatAddress(sentinel.address)} doesn't know the leader`);
      await sentinel.call("PUBLISH", helloChannel, renderHello(sender, order, masterName));
    }),
  );
  const problems = results.flatMap((result) =>
    result.status === "rejected" ? [messageOf(result.reason)] : [],
  );
  log.info(
    { epoch: order.epoch, told: others.length - problems.length, problems },
    "announced the promotion",
  );
}

/** Whether this instance's role is as wanted within this time, ms. With the promotion the leader ends its connections, this one, too. */
async function becomes(
  { server, signal }: AnnouncePromotionOptions,
  wanted: (role: Role) => boolean,
  withinMs: number,
): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const role = await askRole(server).catch(() => undefined);
    if (role !== undefined && wanted(role)) return true;
    if (performance.now() >= deadline || signal.aborted) return false;
    await delay(lookEveryMs);
  }
}

/** A Sentinel's hello: its own address, ID and epoch, then the master's name, address and epoch (`sentinel.c`). */
export function renderHello(sender: KnownSentinel, order: PromotionOrder, masterName: string): string {
  const { heir, epoch } = order;
  return [sender.host, sender.port, sender.id, epoch, masterName, heir.host, heir.port, epoch].join(",");
}
