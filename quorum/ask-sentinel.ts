import { type Address, joinAddress, sameAddress } from "../runtime/address.ts";
import type { SentinelView } from "./agreement.ts";
import type { ControlConnection } from "./control-connection.ts";
import { readEpoch, readFieldList, required } from "./field-list.ts";

/**
 * Asks one Sentinel which master it names, with its epoch and flags.
 *
 * @throws {Error} when the Sentinel can't be reached, doesn't know the master or answers nonsense.
 */
export async function askSentinel(connection: ControlConnection, masterName: string): Promise<SentinelView> {
  // Until all replicas are re-pointed, a failover's leader tells the new master here only, while MASTER has its epoch.
  const [address, master] = await Promise.all([
    connection.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterName),
    connection.call("SENTINEL", "MASTER", masterName),
  ]);
  const fields = readFieldList(master);
  const named = readAddress(address);
  const watched = readAddress([fields.get("ip"), fields.get("port")]);
  return {
    sentinel: connection.address,
    master: named,
    ...(sameAddress(named, watched) ? {} : { replaced: watched }),
    configEpoch: readEpoch(required(fields, "config-epoch")),
    flags: (fields.get("flags") ?? "").split(","),
    replicas: Number(fields.get("num-slaves") ?? 0),
    otherSentinels: Number(fields.get("num-other-sentinels") ?? 0),
    ...readSilence(fields),
    ...readSettings(fields),
  };
}

function readAddress(reply: unknown): Address {
  const [host, port] = Array.isArray(reply) ? (reply as unknown[]) : [];
  if (typeof host !== "string" || host === "") throw new Error("a Sentinel gave no address of the master");
  return joinAddress(host, port);
}

function readSilence(fields: Map<string, string>): Pick<SentinelView, "silentMs"> {
  const silentMs = Number(fields.get("last-ok-ping-reply"));
  return Number.isSafeInteger(silentMs) ? { silentMs } : {};
}

/** Nothing is decided by them, so a Sentinel that doesn't tell them is heard all the same. */
function readSettings(fields: Map<string, string>): Pick<SentinelView, "settings"> {
  const read = (name: string): number => Number(fields.get(name));
  const settings = {
    quorum: read("quorum"),
    downAfterMs: read("down-after-milliseconds"),
    failoverTimeoutMs: read("failover-timeout"),
    parallelSyncs: read("parallel-syncs"),
  };
  return Object.values(settings).every(Number.isSafeInteger) ? { settings } : {};
}

/** How long the others are waited for once nearly enough Sentinels have answered. */
const graceMs = 50;

/**
 * Asks all Sentinels at once. Those that don't answer are left out of `views` and told in `failures`.
 *
 * @param isEnough with it, a frozen Sentinel doesn't delay the rest. Once the answers are `nearly` enough, all others have 50 ms
 * left: one of them may be a failover's leader, which is the only one to know the new master.
 */
export async function askSentinels(
  connections: readonly ControlConnection[],
  masterName: string,
  isEnough: (views: readonly SentinelView[]) => boolean | "nearly" = () => false,
): Promise<{ readonly views: SentinelView[]; readonly failures: Error[] }> {
  const views: SentinelView[] = [];
  const failures: Error[] = [];
  const grace = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  const questions = connections.map(async (connection) => {
    try {
      views.push(await askSentinel(connection, masterName));
      const enough = isEnough(views);
      if (enough === true) grace.resolve();
      else if (enough === "nearly") timer ??= setTimeout(grace.resolve, graceMs);
    } catch (error) {
      failures.push(error instanceof Error ? error : new Error(String(error)));
    }
  });
  await Promise.race([Promise.all(questions), grace.promise]);
  clearTimeout(timer);
  // Copies: whoever answers later doesn't change what was decided on.
  return { views: [...views], failures: [...failures] };
}

/** One replica as one Sentinel knows it. It asks its replicas once a second, so this may be as old. */
export interface ReplicaView {
  readonly address: Address;
  /** Reachable, linked with the master, and allowed by its `replica-priority`. */
  readonly promotable: boolean;
  /** Reachable and allowed, with or without a link: when the master is gone nobody has one. */
  readonly eligible: boolean;
  /** `replica-priority`: the lowest is promoted first, 0 never. */
  readonly priority: number;
  /** What it had received of the master's stream when it was asked last. */
  readonly offset: number;
  readonly runId: string;
}

/**
 * Asks one Sentinel for the replicas that it knows.
 *
 * @throws {Error} when the Sentinel can't be reached, doesn't know the master or answers nonsense.
 */
export async function askReplicas(connection: ControlConnection, masterName: string): Promise<ReplicaView[]> {
  const reply = await connection.call("SENTINEL", "REPLICAS", masterName);
  if (!Array.isArray(reply)) throw new Error(`SENTINEL REPLICAS answered ${typeof reply}, not a list`);
  return reply.map(readFieldList).map(readReplica);
}

/** A replica as `SENTINEL REPLICAS` describes it. @throws {Error} when its address is missing. */
export function readReplica(fields: Map<string, string>): ReplicaView {
  const down = (fields.get("flags") ?? "")
    .split(",")
    .some((flag) => ["s_down", "disconnected"].includes(flag));
  const priority = Number(fields.get("slave-priority"));
  return {
    address: joinAddress(required(fields, "ip"), required(fields, "port")),
    eligible: !down && priority > 0,
    promotable: !down && fields.get("master-link-status") === "ok" && priority > 0,
    priority,
    offset: Number(fields.get("slave-repl-offset")),
    runId: fields.get("runid") ?? "",
  };
}

/** The number of replicas that one Sentinel would promote. It learns of a change within its INFO period. */
export async function countPromotable(connection: ControlConnection, masterName: string): Promise<number> {
  const replicas = await askReplicas(connection, masterName);
  return replicas.filter(({ promotable }) => promotable).length;
}
