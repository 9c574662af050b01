/** What decides about the rewrite of one instance's append-only file; all of it is in its INFO. */
export interface RewriteView {
  /** Place in the order of turns; lower goes first. */
  readonly rank: number;
  readonly role: "master" | "replica";
  /** Bytes of the append-only file, and what they were after its last rewrite. */
  readonly currentBytes: number;
  readonly baseBytes: number;
  /** A fork rewrites the file, or one is about to. */
  readonly rewriting: boolean;
  /** A fork sends all data to a replica. */
  readonly sending: boolean;
  /** It loads its data, or receives all of a master's. */
  readonly loading: boolean;
}

/** What one instance sees when it decides. */
export interface RewriteObservation {
  readonly own: RewriteView;
  /** The other instances that answered, and how many didn't: busy, frozen or gone. */
  readonly peers: readonly RewriteView[];
  readonly silentPeers: number;
  /** Bytes that are free on the volume, and what the new file will need at most. */
  readonly freeBytes: number;
  readonly neededBytes: number;
  /** For how long the running rewrite has run, when it was started by {@link planRewrite}'s word. */
  readonly startedForMs: number | undefined;
  /** How often in a row this one has given way. */
  readonly yields: number;
  /** For how long it has let others go first. */
  readonly waitedMs: number;
  /** Until the next attempt after one that was ended. */
  readonly backOffMs: number;
}

/** What to do about it now. */
export type RewriteDecision =
  | { readonly kind: "none" }
  /** It's another instance's turn. */
  | { readonly kind: "wait" }
  | { readonly kind: "start"; readonly urgent: boolean }
  /** Two have started at once: end the own one. */
  | { readonly kind: "yield" }
  /** The volume has no room for a second file. */
  | { readonly kind: "no-room" };

/** Smaller files aren't rewritten, as in Redis: 64 MiB are read within a second. */
const smallestBytes = 64 * 2 ** 20;

/** 10 s for instances that should go first and don't, since they are backing off, and for those that don't answer. */
const patienceMs = 10_000;

/** A rewrite gives way only while little is lost by that. */
const youngMs = 3000;

const mostYields = 3;

/** Redis' own rule (`auto-aof-rewrite-percentage 100`, `auto-aof-rewrite-min-size 64mb`): the file has doubled. */
export function isRewriteDue({ currentBytes, baseBytes }: RewriteView): boolean {
  return currentBytes >= smallestBytes && currentBytes >= 2 * baseBytes;
}

/** Nobody's turn is worth a full volume. */
function isUrgent({ own, freeBytes, neededBytes }: RewriteObservation): boolean {
  return own.currentBytes >= 8 * Math.max(own.baseBytes, smallestBytes / 2) || freeBytes < 2 * neededBytes;
}

/** Replicas first: nobody waits for them. Then by rank, the same on all instances. */
function goesFirst(a: RewriteView, b: RewriteView): boolean {
  if (a.role !== b.role) return a.role === "replica";
  return a.rank < b.rank;
}

/**
 * Bytes that a volume should have for this `maxmemory`: the file before a rewrite, twice the data, and the one after it, and as much again
 * for what clients write until this instance's turn.
 */
export function sensibleVolumeBytes(maxmemory: number): number {
  return 4 * Math.max(maxmemory, smallestBytes / 2);
}

function isBusy({ rewriting, sending, loading }: RewriteView): boolean {
  return rewriting || sending || loading;
}

/**
 * Whether this instance rewrites its append-only file now. Each rewrite can double the memory of its pod, so one instance at a
 * time does it: when that is too much for it, the others are still there. Nobody hands the turns out: each instance sees from the
 * others' INFO whether one of them is at it, and whether one goes first.
 */
export function planRewrite(observation: RewriteObservation): RewriteDecision {
  const { own, peers, silentPeers, startedForMs } = observation;
  const urgent = isUrgent(observation);
  if (own.rewriting && startedForMs !== undefined) {
    const collides = peers.some((peer) => peer.rewriting && goesFirst(peer, own));
    return collides && !urgent && startedForMs < youngMs && observation.yields < mostYields
      ? { kind: "yield" }
      : { kind: "none" };
  }
  if (isBusy(own) || !isRewriteDue(own)) return { kind: "none" };
  if (observation.backOffMs > 0) return { kind: "none" };
  if (observation.freeBytes < observation.neededBytes) return { kind: "no-room" };
  if (urgent) return { kind: "start", urgent };
  if (peers.some(({ rewriting, sending }) => rewriting || sending)) return { kind: "wait" };
  const later = peers.some((peer) => !isBusy(peer) && isRewriteDue(peer) && goesFirst(peer, own));
  return (later || silentPeers > 0) && observation.waitedMs < patienceMs
    ? { kind: "wait" }
    : { kind: "start", urgent };
}
