import type { Agreement, SentinelView } from "../../quorum/agreement.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";
import type { Login } from "../conf/server-access.ts";

// A Sentinel that fails to look the new master's name up when it hears of a failover keeps the old master with the new
// epoch. Since nobody tells it of a newer one it stays wrong for ever, votes for nobody, and `SENTINEL CKQUORUM` is content.

/**
 * The only Sentinel that names another master than all others do, without knowing of a newer configuration; undefined: they
 * agree, or it isn't clear who is wrong.
 */
export function findOddSentinel(
  views: readonly SentinelView[],
  agreement: Agreement,
  sentinelCount: number,
): SentinelView | undefined {
  if (agreement.kind !== "agreed" || views.length < sentinelCount) return undefined;
  const [odd, ...others] = views.filter(({ master }) => !sameAddress(master, agreement.master));
  return odd !== undefined && others.length === 0 && odd.configEpoch <= agreement.configEpoch
    ? odd
    : undefined;
}

/** What {@link repairSentinel} gives a Sentinel. */
export interface SentinelRepair {
  readonly masterName: string;
  readonly master: Address;
  /** One that names the right master: its settings are those of all. */
  readonly example: SentinelView;
  /** As whom Sentinels come to Redis. */
  readonly login: Login;
}

/**
 * Makes one Sentinel forget its master and watch the right one, with all settings that the product owns. It finds the replicas
 * and the other Sentinels again through that master, and takes the epoch from them.
 *
 * @throws {Error} when it doesn't answer or refuses. Without a master it takes the template's at its next start.
 */
export async function repairSentinel(
  sentinel: ControlConnection,
  { masterName, master, example, login }: SentinelRepair,
): Promise<void> {
  const { settings } = example;
  const password = login.password();
  if (settings === undefined) throw new Error(`${formatAddress(example.sentinel)} doesn't tell its settings`);
  await sentinel.call("SENTINEL", "REMOVE", masterName);
  await sentinel.call("SENTINEL", "MONITOR", masterName, master.host, master.port, settings.quorum);
  await sentinel.call(
    "SENTINEL",
    "SET",
    masterName,
    ...["down-after-milliseconds", settings.downAfterMs],
    ...["failover-timeout", settings.failoverTimeoutMs],
    ...["parallel-syncs", settings.parallelSyncs],
    ...["master-reboot-down-after-period", masterRebootDownAfterMs],
    ...(login.username === undefined ? [] : ["auth-user", login.username]),
    ...(password === undefined ? [] : ["auth-pass", password]),
  );
}

/** As in sentinel.conf.template. */
const masterRebootDownAfterMs = 5000;
