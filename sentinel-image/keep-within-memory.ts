import type { Logger } from "pino";
import { type Address, sameAddress } from "../quorum/address.ts";
import type { ControlConnection } from "../quorum/control-connection.ts";
import { endForks } from "./fork-child.ts";
import { guardMemory } from "./memory-guard.ts";
import { readMemoryUse } from "./pod-memory.ts";
import type { RedisServer } from "./redis-server.ts";
import { Rewriter } from "./rewriter.ts";

/** What {@link keepWithinMemory} works with. */
export interface KeepWithinMemoryOptions {
  readonly self: Address;
  /** All instances, this one among them, in the order of their numbers. */
  readonly instances: readonly Address[];
  /** This instance's server, a connection to it, and connections to the others. */
  readonly server: RedisServer;
  readonly own: ControlConnection;
  readonly peers: readonly ControlConnection[];
  readonly dataDirectory: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Starts the rewrites of the append-only file, one instance at a time, and ends any fork that would take the pod over its limit. */
export async function keepWithinMemory(options: KeepWithinMemoryOptions): Promise<void> {
  const { self, server, own, log, signal } = options;
  const end = (): boolean => server.pid !== undefined && server.running && endForks(server.pid);
  // The last one first, as in a rollout.
  const turns = options.instances.toReversed();
  const rewriter = new Rewriter({
    server: own,
    peers: options.peers,
    rankOf: (connection) =>
      turns.findIndex((address) => sameAddress(address, connection === own ? self : connection.address)),
    dataDirectory: options.dataDirectory,
    endForks: end,
    log,
  });
  await Promise.all([
    rewriter.run(signal),
    guardMemory({ readUse: readMemoryUse, endForks: end, onEnded: () => rewriter.backOff(), log, signal }),
  ]);
}
