import type { Logger } from "pino";
import type { SentinelView } from "../../quorum/agreement.ts";
import type { Role } from "../../quorum/ask-role.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { formatAddress, sameAddress } from "../../runtime/address.ts";
import type { Login } from "../conf/server-access.ts";
import { followKeepingData, type OwnPast } from "../failover/follow-keeping-data.ts";
import { askForFailover } from "../start/choose-role.ts";
import { ordinaryPriority, type SupervisionAction } from "./plan-supervision.ts";
import { repairSentinel } from "./repair-sentinel.ts";

export interface CarryOutOptions {
  readonly masterName: string;
  /** As whom the Sentinels come to Redis. */
  readonly sentinelLogin: Login;
  /** This instance's own server. */
  readonly server: ControlConnection;
  readonly sentinels: readonly ControlConnection[];
  /** The other instances. */
  readonly instances: readonly ControlConnection[];
  /** `redis:durability` `quorum`: nobody follows a master that may lack something. */
  readonly quorum: boolean;
  readonly log: Logger;
}

/** What else `redis:durability quorum` needs to know. */
export interface KnownOfQuorum {
  /** At which the Sentinels agree; undefined: they don't. */
  readonly configEpoch?: number | undefined;
  readonly past?: OwnPast;
}

/** Does what {@link planSupervision} has decided. @throws {Error} when a server or a Sentinel doesn't answer, or refuses. */
export async function carryOut(
  action: SupervisionAction,
  options: CarryOutOptions,
  role: Role,
  views: readonly SentinelView[],
  known: KnownOfQuorum = {},
): Promise<void> {
  const { server, sentinels, masterName, log } = options;
  switch (action.kind) {
    case "follow":
      if (options.quorum) return followWithQuorum(action, options, known);
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
      if (options.quorum) await letSentinelsPromote(options, true);
      await server.call("CONFIG", "SET", "replica-priority", ordinaryPriority);
      return;
    case "forbid-promotion":
      log.warn({ reason: action.reason }, "the Sentinels must not promote this instance");
      await server.call("CONFIG", "SET", "replica-priority", 0);
      // They hear of it up to a second later, and may be promoting just now.
      if (action.benches) await letSentinelsPromote(options, false);
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

/** The same, unless this instance has what the master may lack. @throws {Error} when it doesn't: said once, as long as the reason is the same. */
async function followWithQuorum(
  { master, dropClients }: Extract<SupervisionAction, { kind: "follow" }>,
  { server, instances, log }: CarryOutOptions,
  { configEpoch, past = {} }: KnownOfQuorum,
): Promise<void> {
  const target = instances.find(({ address }) => sameAddress(address, master));
  if (target === undefined) return;
  const verdict = await followKeepingData(server, target, configEpoch, past);
  if (!verdict.joins) throw new Error(`it doesn't follow ${formatAddress(master)} yet: ${verdict.reason}`);
  log.warn(
    { master: formatAddress(master), because: verdict.because },
    "follows the master that the Sentinels agree on",
  );
  if (dropClients) await server.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
}

/** Whether the Sentinels' orders to become a master are obeyed. Without users nobody can be kept from giving them. */
async function letSentinelsPromote({ server, sentinelLogin }: CarryOutOptions, may: boolean): Promise<void> {
  if (sentinelLogin.username === undefined) return;
  await server.call("ACL", "SETUSER", sentinelLogin.username, "-slaveof", ...(may ? ["+slaveof|no"] : []));
}
