import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import type { Address } from "../../runtime/address.ts";
import type { BackupPlan } from "../backup/backup-environment.ts";
import type { RedisEnvironment } from "../conf/redis-environment.ts";
import { chooseFittingRole } from "./choose-fitting-role.ts";
import { chooseRole, type StartRole } from "./choose-role.ts";
import { isDamaged, putAside } from "./damaged-data.ts";
import { takeForcedMaster } from "./forced-master.ts";
import type { OwnCopy } from "./last-state.ts";
import { restoreAtStart } from "./restore-at-start.ts";
import { takeForceOrder } from "./standing-orders.ts";
import { hasStoredData } from "./stored-data.ts";

export interface FindRoleOptions {
  readonly environment: RedisEnvironment;
  /** The engine's server. */
  readonly program: string;
  /** The folder `ha` of the volume. */
  readonly directory: string;
  /** It exists when the server of the last run couldn't load its data. */
  readonly failedFile: string;
  readonly copy: OwnCopy;
  readonly sentinels: readonly ControlConnection[];
  /** The other instances. */
  readonly peers: readonly ControlConnection[];
  readonly backups: BackupPlan | undefined;
  /** The set is not brand-new. */
  readonly initialised: boolean;
  /** Told why this instance waits, or must not start. */
  readonly onWaiting: (waiting: { readonly for?: string; readonly refused?: string | undefined }) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The role to start in, and the data that it is started with are in place. */
export interface FoundRole {
  readonly role: StartRole;
  /** An operator has ordered that it leads. */
  readonly forced: boolean;
}

/** Finds out in which role an instance starts, however long it takes. @throws {Error} only when `signal` ends it. */
export async function findRole(options: FindRoleOptions): Promise<FoundRole> {
  const { environment, program, directory, failedFile, log, onWaiting, signal } = options;
  const { REDIS_SELF: self, REDIS_DATA_DIR: dataDirectory } = environment;
  const persistent = environment.REDIS_PERSISTENCE === "aof";
  const damaged =
    existsSync(failedFile) && isDamaged(dataDirectory, environment.REDIS_ENGINE, process.env.PATH);
  if (damaged)
    log.error("the data on the volume are damaged: they are put aside once another instance is master");
  const forced = isForced(environment.HA_FORCE_MASTER, self, persistent, options);
  const choose = (): Promise<StartRole> => chooseAny(options, persistent, damaged);
  let role: StartRole = forced ? { kind: "lead", reason: "an operator's order" } : await choose();
  const restored = await restoreAtStart({
    ...{ plan: persistent ? options.backups : undefined, role, dataDirectory, program, directory, log },
    initialised: options.initialised || damaged || forced,
    // A rollout must not go on, and seem to succeed, without the data.
    onWaiting: (why, failed) => onWaiting({ for: why, refused: failed ? why : undefined }),
    signal,
  });
  // That took its time: who leads may have changed.
  if (restored) role = await choose();
  if (damaged && role.kind === "follow") putAside(dataDirectory);
  return { role, forced };
}

function isForced(
  wanted: string | undefined,
  self: Address,
  persistent: boolean,
  { directory, log }: FindRoleOptions,
): boolean {
  const ordered = takeForceOrder(directory);
  const named = !ordered && takeForcedMaster(wanted, self, join(directory, "forced"));
  // Whether that was carried out is forgotten with a pod that keeps nothing: each next one would carry it out again, and empty all others.
  if (named && !persistent) log.warn("HA_FORCE_MASTER is ignored with redis:persistence off");
  const forced = ordered || (named && persistent);
  if (forced) log.warn("an operator makes this instance the master");
  return forced;
}

function chooseAny(options: FindRoleOptions, persistent: boolean, damaged: boolean): Promise<StartRole> {
  const { environment, sentinels, peers, copy, onWaiting, log, signal } = options;
  return chooseFittingRole({
    choose: () =>
      chooseRole({
        self: environment.REDIS_SELF,
        masterName: environment.MASTER_NAME,
        hasData: () => persistent && !damaged && hasStoredData(environment.REDIS_DATA_DIR),
        quorum: environment.REDIS_DURABILITY === "quorum",
        ...{ sentinels, peers, damaged, copy, persistent, log, signal },
      }),
    maxmemory: environment.REDIS_MAXMEMORY,
    policy: environment.REDIS_MAXMEMORY_POLICY,
    onRefused: (refused) => onWaiting({ refused }),
    ...{ peers, log, signal },
  });
}
