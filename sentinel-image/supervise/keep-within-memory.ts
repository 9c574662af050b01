import { statfsSync } from "node:fs";
import type { Logger } from "pino";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { type Address, sameAddress } from "../../runtime/address.ts";
import { endForks } from "./fork-child.ts";
import { guardMemory } from "./memory-guard.ts";
import { sensibleVolumeBytes } from "./plan-rewrite.ts";
import { readMemoryUse } from "./pod-memory.ts";
import type { RedisServer } from "./redis-server.ts";
import { Rewriter } from "./rewriter.ts";

export interface KeepWithinMemoryOptions {
  readonly self: Address;
  /** All instances, this one among them, in the order of their numbers. */
  readonly instances: readonly Address[];
  /** This instance's server, a connection to it, and connections to the others. */
  readonly server: RedisServer;
  readonly own: ControlConnection;
  readonly peers: readonly ControlConnection[];
  readonly dataDirectory: string;
  /** Whether there is an append-only file. */
  readonly persistent: boolean;
  /** Of this instance, in bytes. */
  readonly maxmemory: number;
  /** Ends a second server that loads a backup; whether there was one. */
  readonly endVerifier: () => boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Starts the rewrites of the append-only file, one instance at a time, and ends any fork that would take the pod over its limit. */
export async function keepWithinMemory(options: KeepWithinMemoryOptions): Promise<void> {
  const { self, server, own, log, signal } = options;
  if (options.persistent) warnOfSmallVolume(options);
  const end = (): boolean => server.pid !== undefined && server.running && endForks(server.pid);
  // A backup that couldn't be verified here costs least.
  const endAny = (): boolean => options.endVerifier() || end();
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
    ...(options.persistent ? [rewriter.run(signal)] : []),
    guardMemory({ readUse: readMemoryUse, endForks: endAny, onEnded: () => rewriter.backOff(), log, signal }),
  ]);
}

/** Said at the start: when it is full, it is too late. */
function warnOfSmallVolume({ dataDirectory, maxmemory, log }: KeepWithinMemoryOptions): void {
  const { blocks, bsize } = statfsSync(dataDirectory);
  const sensible = sensibleVolumeBytes(maxmemory);
  if (blocks * bsize >= sensible) return;
  const inMiB = (bytes: number): number => Math.round(bytes / 2 ** 20);
  log.warn(
    { volumeMiB: inMiB(blocks * bsize), sensibleMiB: inMiB(sensible) },
    "the volume is small for redis:memory: clients that overwrite much data can fill it; raise redis:storage",
  );
}
