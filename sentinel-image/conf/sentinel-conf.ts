import { createHash } from "node:crypto";
import type { SentinelView } from "../../quorum/agreement.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";
import { renderTemplate } from "./conf-line.ts";

/** What a Sentinel learnt and wrote into its own configuration file. */
export interface LearnedState {
  /** The master that it named last. */
  readonly master: Address;
  readonly configEpoch: number;
  readonly leaderEpoch: number;
  readonly currentEpoch: number;
}

/** Everything that decides the text of sentinel.conf. */
export interface SentinelConfInput {
  readonly template: string;
  /** Variables of the template but `REDIS_MASTER`, which is computed. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly masterName: string;
  readonly self: Address;
  /** All Sentinels and all Redis instances of the stack. Nobody else is ever kept. */
  readonly sentinels: readonly Address[];
  readonly instances: readonly Address[];
  /** The instance that a first boot monitors when nobody knows better. */
  readonly initialMaster: Address;
  /** From the kept file; undefined at the first boot, or when the file was damaged. */
  readonly learned: LearnedState | undefined;
  /** What the other Sentinels say now. */
  readonly peers: readonly SentinelView[];
  /** The newest epoch in which they know of any vote; 0: none. This Sentinel may have voted in it and have lost its file. */
  readonly newestVote: number;
}

/**
 * The identity of a Sentinel. Fixed by its name, so that one that lost its volume comes back as itself: a new identity
 * would be counted as one more voter, and a majority harder to reach for ever.
 */
export function sentinelId(masterName: string, sentinel: Address): string {
  return createHash("sha1")
    .update(`${masterName}/${formatAddress(sentinel)}`)
    .digest("hex");
}

/**
 * Reads the lines that Sentinel wrote about its own knowledge. Undefined when the text is no whole sentinel.conf: every
 * one names its only master and three epochs, and a file that was cut off would lower them.
 */
export function parseLearnedState(text: string): LearnedState | undefined {
  if (!text.endsWith("\n")) return undefined;
  const words = text.split("\n").map((line) => line.trim().split(/\s+/));
  const all = (directive: string): string[][] =>
    words.filter(([first, second]) => first === "sentinel" && second === directive);
  const epoch = (directive: string): number => {
    const lines = all(directive);
    const value = lines.length === 1 ? lines[0]?.at(-1) : undefined;
    return value !== undefined && /^\d+$/.test(value) ? Number(value) : Number.NaN;
  };
  const [monitor, ...others] = all("monitor");
  const [, , , host, portText, quorum] = monitor ?? [];
  const port = Number(portText);
  const learned = {
    configEpoch: epoch("config-epoch"),
    leaderEpoch: epoch("leader-epoch"),
    currentEpoch: epoch("current-epoch"),
  };
  if (others.length > 0 || host === undefined || quorum === undefined) return undefined;
  if (!(port > 0) || !Object.values(learned).every(Number.isSafeInteger)) return undefined;
  return { master: { host, port }, ...learned };
}

/**
 * The master to monitor from now on, with its epoch: the newest of what the file and the other Sentinels say. At the same
 * epoch two peers that agree outvote the file: one failed look-up at the moment of a failover leaves a Sentinel with the
 * new epoch and the old master.
 */
export function chooseMaster(input: SentinelConfInput): {
  readonly master: Address;
  readonly configEpoch: number;
} {
  const { learned, peers, instances, initialMaster } = input;
  const known = peers.filter(({ master }) => instances.some((instance) => sameAddress(instance, master)));
  const newestEpoch = Math.max(...known.map(({ configEpoch }) => configEpoch));
  const newest = known
    .filter(({ configEpoch }) => configEpoch === newestEpoch)
    .map(({ master, configEpoch }, _, all) => ({
      master,
      configEpoch,
      votes: all.filter((peer) => sameAddress(peer.master, master)).length,
    }))
    .toSorted((a, b) => b.votes - a.votes)[0];
  if (learned === undefined || !instances.some((instance) => sameAddress(instance, learned.master))) {
    return newest ?? { master: initialMaster, configEpoch: 0 };
  }
  if (newest !== undefined) {
    const outvoted = newest.configEpoch === learned.configEpoch && newest.votes >= 2;
    if (newest.configEpoch > learned.configEpoch || outvoted) return newest;
  }
  return { master: learned.master, configEpoch: learned.configEpoch };
}

/**
 * The complete sentinel.conf for this start: every line that the product owns from the template, and what was learnt.
 * Replicas and Sentinels are written for all names of the stack: without a live master a Sentinel discovers nobody, and
 * could never fail over.
 */
export function renderSentinelConf(input: SentinelConfInput): string {
  const { masterName, self, sentinels, instances, learned, peers } = input;
  const { master, configEpoch } = chooseMaster(input);
  const seenEpoch = Math.max(configEpoch, input.newestVote, ...peers.map((peer) => peer.configEpoch));
  const lines = renderTemplate(input.template, {
    ...input.variables,
    REDIS_MASTER: [master.host, String(master.port)],
  });
  lines.push(`sentinel myid ${sentinelId(masterName, self)}`);
  lines.push(`sentinel config-epoch ${masterName} ${configEpoch}`);
  // Never below what was seen: a Sentinel that forgot its vote must not vote twice in one epoch.
  lines.push(`sentinel leader-epoch ${masterName} ${Math.max(learned?.leaderEpoch ?? 0, seenEpoch)}`);
  lines.push(`sentinel current-epoch ${Math.max(learned?.currentEpoch ?? 0, seenEpoch)}`);
  for (const { host, port } of instances.filter((instance) => !sameAddress(instance, master))) {
    lines.push(`sentinel known-replica ${masterName} ${host} ${port}`);
  }
  for (const sentinel of sentinels.filter((address) => !sameAddress(address, self))) {
    const id = sentinelId(masterName, sentinel);
    lines.push(`sentinel known-sentinel ${masterName} ${sentinel.host} ${sentinel.port} ${id}`);
  }
  return `${lines.join("\n")}\n`;
}
