import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { askKnownSentinels, askPromotionStage, type KnownSentinel } from "../../quorum/ask-failover.ts";
import { askRole, type Role } from "../../quorum/ask-role.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { formatAddress, sameAddress } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import { isRefused } from "../start/ask-peer.ts";
import { within } from "../supervise/within.ts";
import type { PromotionOrder } from "./promotion-orders.ts";

export interface AnnouncePromotionOptions {
  readonly order: PromotionOrder;
  readonly masterName: string;
  /** This instance's own server. */
  readonly server: ControlConnection;
  /** The other instances. */
  readonly peers: readonly ControlConnection[];
  readonly sentinels: readonly ControlConnection[];
  /** It is a master now, in this epoch, whether or not the Sentinels know yet. Clients are let come only after that. */
  readonly onPromoted?: (epoch: number) => Promise<void>;
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
/** How long the other instances are given to refuse a connection. */
const refusedWithinMs = 20;

/** The channel on which Sentinels tell one another who is master. */
const helloChannel = "__sentinel__:hello";

/**
 * Tells the other Sentinels of this instance's promotion at once, in the words in which the failover's leader is going to: that one sees it
 * only with its next `INFO`, up to a second later, and clients wait for it. They believe it because the epoch is newer than any that they
 * know, and only its leader, whom a majority has elected, can have promoted somebody in it. Does nothing unless this instance really is
 * a master, and the leader still waits for that or has died since it gave the order.
 */
export async function announcePromotion(options: AnnouncePromotionOptions): Promise<void> {
  const { order, masterName, peers, sentinels, onPromoted, log } = options;
  const leader = sentinels.find(({ address }) => sameAddress(address, order.leader));
  if (order.epoch === undefined) return;
  const isMaster = (role: Role): boolean => role.kind === "master";
  if (!(await becomes(options, isMaster, promotedWithinMs))) return;
  const stage = leader && (await askPromotionStage(leader, masterName).catch(() => undefined));
  const overtaken = stage === undefined ? performance.now() - order.heardAtMs > believedForMs : !stage.waits;
  if (leader === undefined || overtaken) return onPromoted?.(order.epoch);
  // Without a replica it would refuse writes. And an old master that runs must have refused the last ones before clients leave it.
  const oldOneLives = stage?.masterDown === false && !(await isAnyRefused(peers));
  const expected = peers.length - (oldOneLives ? 0 : 1);
  await becomes(
    options,
    (role) => role.kind !== "master" || role.replicas.length >= expected,
    settledWithinMs,
  );
  if (!(await becomes(options, isMaster, 0))) return;
  await onPromoted?.(order.epoch);
  const others = sentinels.filter((sentinel) => sentinel !== leader);
  const answers = await Promise.allSettled(others.map((other) => tell(options, other, leader)));
  // The leader would work on, for a second or more, at what the others have done meanwhile. It believes one of them.
  const witness = others.find((_other, i) => answers[i]?.status === "fulfilled");
  if (witness !== undefined) answers.push(...(await Promise.allSettled([tell(options, leader, witness)])));
  const problems = answers.flatMap((answer) =>
    answer.status === "rejected" ? [messageOf(answer.reason)] : [],
  );
  log.info(
    { epoch: order.epoch, told: answers.length - problems.length, problems },
    "announced the promotion",
  );
}

/** A dead master refuses connections long before the Sentinels see it down. */
async function isAnyRefused(peers: readonly ControlConnection[]): Promise<boolean> {
  const answers = await within(refusedWithinMs, peers.map(askRole));
  return answers.some((answer) => answer?.status === "rejected" && isRefused(answer.reason));
}

/** Tells one Sentinel what another one of them says, or is about to. @throws {Error} when it doesn't know that one, or isn't reached. */
async function tell(
  { order, masterName }: AnnouncePromotionOptions,
  sentinel: ControlConnection,
  { address }: ControlConnection,
): Promise<void> {
  const known = await askKnownSentinels(sentinel, masterName);
  const sender = known.find((other) => sameAddress(other, address));
  if (sender === undefined) {
    throw new Error(`${formatAddress(sentinel.address)} doesn't know ${formatAddress(address)}`);
  }
  await sentinel.call("PUBLISH", helloChannel, renderHello(sender, order, masterName));
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
