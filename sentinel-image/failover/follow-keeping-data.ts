import type { ControlConnection } from "../../quorum/control-connection.ts";
import { type Address, sameAddress } from "../../runtime/address.ts";
import { parseInfo } from "../start/ask-peer.ts";
import { askHeartbeat } from "../supervise/heartbeat.ts";
import { readHistory } from "./history.ts";
import { type CopyInSight, type JoinVerdict, judgeJoin } from "./keep-data.ts";

/**
 * Whom an instance follows that may follow nobody yet: nothing listens there. Its data and its history stay, and nobody's writes are confirmed by it.
 */
export const nowhere = { host: "127.0.0.1", port: 1 } as const;

/** How often replicas have joined an instance since its process began. @param info its `INFO` or `INFO stats`. */
export function countJoins(info: string): number {
  const fields = parseInfo(info);
  return Number(fields.get("sync_full")) + Number(fields.get("sync_partial_ok"));
}

/** What only an instance's own supervisor knows of its copy. */
export interface OwnPast {
  /** How often replicas had joined it when it was last seen as a replica. Default 0. */
  readonly joinsBefore?: number;
  /** As of {@link CopyInSight}, as long as it has followed nobody since. Default false. */
  readonly crashed?: boolean;
  /** The master whose stream it has received last. */
  readonly followed?: Address | undefined;
}

/**
 * Asks an instance for its copy.
 *
 * @throws {Error} when it doesn't answer, or still loads.
 */
export async function askCopy(
  instance: ControlConnection,
  { joinsBefore = 0, crashed = false, followed }: OwnPast = {},
  other?: Address,
): Promise<CopyInSight> {
  const [info, heartbeat] = await Promise.all([instance.call("INFO"), askHeartbeat(instance)]);
  return {
    history: readHistory(String(info)),
    heartbeat,
    wasJoined: countJoins(String(info)) !== joinsBefore,
    crashed,
    fromOther: followed !== undefined && other !== undefined && sameAddress(followed, other),
  };
}

/**
 * Has this instance's server follow another one unless that would throw away what that one may lack ({@link judgeJoin}).
 *
 * @param server this instance's own.
 * @param configEpoch at which the Sentinels agree on the other one; undefined: not yet.
 * @throws {Error} when one of them doesn't answer. The server may then follow {@link nowhere}, and the next look mends that.
 */
export async function followKeepingData(
  server: ControlConnection,
  master: ControlConnection,
  configEpoch: number | undefined,
  past: OwnPast,
): Promise<JoinVerdict> {
  const [own, theirs] = await Promise.all([askCopy(server, past, master.address), askCopy(master)]);
  const verdict = judgeJoin(own, theirs, configEpoch);
  if (!verdict.joins) return verdict;
  const { host, port } = master.address;
  if (verdict.because !== "proven") {
    // What it still got, or took, since it was asked counts, too: first it gets and takes nothing more.
    const before = parseInfo(String(await server.call("INFO", "replication")));
    await server.call("REPLICAOF", nowhere.host, nowhere.port);
    const now = await askCopy(server, past, master.address);
    // It was one a moment ago, and its history is the same.
    const judged = { ...now, history: { ...now.history, role: own.history.role } };
    const last = judgeJoin(judged, theirs, configEpoch);
    if (!last.joins) {
      const former =
        before.get("role") === "master"
          ? ["NO", "ONE"]
          : [before.get("master_host"), before.get("master_port")];
      await server.call("REPLICAOF", ...former.map(String));
      return last;
    }
  }
  // A full copy is nobody's choice before its stream has begun.
  if (verdict.because !== "continues") await server.call("CONFIG", "SET", "replica-priority", 0);
  await server.call("REPLICAOF", host, port);
  return verdict;
}
