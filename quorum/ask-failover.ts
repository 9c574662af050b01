import type { ControlConnection } from "./control-connection.ts";
import { readEpoch, readFieldList, required } from "./field-list.ts";

/** One Sentinel as another one knows it. */
export interface KnownSentinel {
  readonly host: string;
  readonly port: number;
  /** Its ID, 40 hexadecimal digits. */
  readonly id: string;
  /** The newest epoch in which its vote is known; 0: none. */
  readonly votedEpoch: number;
  /** Since its last hello, or since this one began to know it, ms. */
  readonly helloMs: number;
}

/**
 * Asks one Sentinel for the other ones that it knows.
 *
 * @throws {Error} when the Sentinel can't be reached, doesn't know the master or answers nonsense.
 */
export async function askKnownSentinels(
  connection: ControlConnection,
  masterName: string,
): Promise<KnownSentinel[]> {
  const reply = await connection.call("SENTINEL", "SENTINELS", masterName);
  if (!Array.isArray(reply)) throw new Error(`SENTINEL SENTINELS answered ${typeof reply}, not a list`);
  return reply.map(readFieldList).map((fields) => ({
    host: required(fields, "ip"),
    port: Number(required(fields, "port")),
    id: fields.get("runid") ?? "",
    votedEpoch: readEpoch(fields.get("voted-leader-epoch") ?? "0"),
    helloMs: Number(fields.get("last-hello-message") ?? Number.NaN),
  }));
}

/**
 * The newest epoch in which one Sentinel knows of another one's vote. A failed election leaves no other trace: the
 * configuration's epoch rises only with a promotion.
 *
 * @throws {Error} when the Sentinel can't be reached, doesn't know the master or answers nonsense.
 */
export async function askNewestVote(connection: ControlConnection, masterName: string): Promise<number> {
  const known = await askKnownSentinels(connection, masterName);
  return Math.max(0, ...known.map(({ votedEpoch }) => votedEpoch));
}

/** How far a Sentinel's failover has come. */
export interface PromotionStage {
  /** It has ordered a replica to become the master, and hasn't seen yet that it is one. */
  readonly waits: boolean;
  /** It sees the master that is replaced down. */
  readonly masterDown: boolean;
}

/**
 * Asks a Sentinel that leads a failover how far it is.
 *
 * @throws {Error} when the Sentinel can't be reached, doesn't know the master or answers nonsense.
 */
export async function askPromotionStage(
  leader: ControlConnection,
  masterName: string,
): Promise<PromotionStage> {
  const fields = readFieldList(await leader.call("SENTINEL", "MASTER", masterName));
  return {
    waits: fields.get("failover-state") === "wait_promotion",
    masterDown: required(fields, "flags").split(",").includes("s_down"),
  };
}
