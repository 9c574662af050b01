import type { Address } from "../runtime/address.ts";
import type { ControlConnection } from "./control-connection.ts";

/** What a Redis says of itself (`ROLE`). */
export type Role =
  | {
      readonly kind: "master";
      readonly offset: number;
      /** The replicas that are connected and have joined, by the addresses that they announce. */
      readonly replicas: readonly Address[];
    }
  | { readonly kind: "replica"; readonly master: Address; readonly linkUp: boolean; readonly offset: number };

/** Whether a question failed because a script keeps the Redis from answering: since `busy-reply-threshold` ms, or longer. */
export function isBusy(error: unknown): error is Error {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && cause.message.startsWith("BUSY ");
}

/**
 * Asks a Redis for its role.
 *
 * @throws {Error} when it can't be reached or answers an error (NOAUTH, …). LOADING is no error for `ROLE`.
 */
export async function askRole(connection: ControlConnection): Promise<Role> {
  const reply = await connection.call("ROLE");
  if (Array.isArray(reply)) {
    const [kind, second, third, fourth, fifth] = reply as unknown[];
    if (kind === "master") {
      const replicas = Array.isArray(third) ? (third as unknown[][]) : [];
      return {
        kind: "master",
        offset: Number(second),
        replicas: replicas.map(([host, port]) => ({ host: String(host), port: Number(port) })),
      };
    }
    if (kind === "slave") {
      return {
        kind: "replica",
        master: { host: String(second), port: Number(third) },
        linkUp: fourth === "connected",
        offset: Number(fifth),
      };
    }
  }
  throw new Error(`ROLE answered ${JSON.stringify(reply)}: neither a master nor a replica`);
}

/** The names of a Redis' data set: its own, and the one that it had as a replica until it was promoted. */
export interface ReplicationIds {
  readonly current: string;
  readonly former: string;
}

/**
 * Asks a Redis for the history that its data belong to (`INFO replication`).
 *
 * @throws {Error} when it can't be reached or answers an error.
 */
export async function askReplicationIds(connection: ControlConnection): Promise<ReplicationIds> {
  const info = String(await connection.call("INFO", "replication"));
  const read = (name: string): string => {
    const id = new RegExp(`^${name}:(\\w+)`, "m").exec(info)?.[1];
    if (id === undefined) throw new Error(`INFO replication gave no '${name}'`);
    return id;
  };
  return { current: read("master_replid"), former: read("master_replid2") };
}

/**
 * Asks a master how many of its replicas keep up, as it judges before it takes a write (`min-replicas-max-lag`).
 *
 * @throws {Error} when it can't be reached or answers an error.
 */
export async function askGoodReplicas(connection: ControlConnection): Promise<number> {
  const info = String(await connection.call("INFO", "replication"));
  // Only a Redis that has a minimum counts them.
  return Number(/^min_slaves_good_slaves:(\d+)/m.exec(info)?.[1] ?? 0);
}
