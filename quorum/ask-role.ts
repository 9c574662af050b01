import type { Address } from "./address.ts";
import type { ControlConnection } from "./control-connection.ts";

/** What a Redis says of itself (`ROLE`). */
export type Role =
  | { readonly kind: "master"; readonly offset: number; readonly replicas: number }
  | { readonly kind: "replica"; readonly master: Address; readonly linkUp: boolean; readonly offset: number };

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
      return { kind: "master", offset: Number(second), replicas: Array.isArray(third) ? third.length : 0 };
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
