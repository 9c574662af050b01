import type { Logger } from "pino";
import type { SentinelView } from "../quorum/agreement.ts";
import type { Role } from "../quorum/ask-role.ts";
import type { ControlConnection } from "../quorum/control-connection.ts";
import { formatAddress, sameAddress } from "../runtime/address.ts";
import { askForFailover } from "./choose-role.ts";
import { ordinaryPriority, type SupervisionAction } from "./plan-supervision.ts";
import { repairSentinel } from "./repair-sentinel.ts";
import type { Login } from "./server-access.ts";

export interface CarryOutOptions {
  readonly masterName: string;
  /** As whom the Sentinels come to Redis. */
  readonly sentinelLogin: Login;
  /** This instance's own server. */
  readonly server: ControlConnection;
  readonly sentinels: readonly ControlConnection[];
  readonly log: Logger;
}

/** Does what {@link planSupervision} has decided. @throws {Error} when a server or a Sentinel doesn't answer, or refuses. */
export async function carryOut(
  action: SupervisionAction,
  options: CarryOutOptions,
  role: Role,
  views: readonly SentinelView[],
): Promise<void> {
  const { server, sentinels, masterName, log } = options;
  switch (action.kind) {
    case "follow":
      log.warn(
        { role: role.kind, master: formatAddress(action.master) },
        "following the master that the Sentinels agree on",
      );
      // Until its stream has begun, up to a second after a full copy, it lacks what clients write meanwhile.
      await server.call("CONFIG", "SET", "replica-priority", 0);
      await server.call("REPLICAOF", action.master.host, action.master.port);
      // Their connections believe that they talk to a master.
      if (action.dropClients) await server.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      return;
    case "allow-promotion":
      log.info({ role }, "the Sentinels may promote this instance");
      await server.call("CONFIG", "SET", "replica-priority", ordinaryPriority);
      return;
    case "forbid-promotion":
      log.warn({ reason: action.reason }, "the Sentinels must not promote this instance");
      await server.call("CONFIG", "SET", "replica-priority", 0);
      return;
    case "lead":
      log.warn("the Sentinels name this instance and nobody is master: it leads");
      await server.call("REPLICAOF", "NO", "ONE");
      return;
    case "repair-sentinel": {
      const { sentinel, master } = action;
      const wrong = sentinels.find(({ address }) => sameAddress(address, sentinel));
      const example = views.find((view) => sameAddress(view.master, master));
      if (wrong === undefined || example === undefined) return;
      log.error({ sentinel: formatAddress(sentinel) }, "a Sentinel alone names another master: repairing it");
      await repairSentinel(wrong, { masterName, master, example, login: options.sentinelLogin });
      return;
    }
    case "request-failover":
      log.warn({ role: role.kind }, "there is no master that works, and the Sentinels do nothing");
      await askForFailover(sentinels, masterName, log);
      return;
  }
}
