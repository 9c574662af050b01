/** One read or write of a register. Times are in ms; each write has a value of its own. */
export interface RegisterOperation {
  readonly kind: "read" | "write";
  /** What was written or read; undefined: a read found nothing. */
  readonly value: string | undefined;
  readonly sentMs: number;
  /** Infinite for a write whose outcome nobody knows: it may take effect at any later time, or never. */
  readonly endedMs: number;
}

export type Verdict = "linearizable" | "violated";

/** The register holds a value at least from `from` to `until`; or, when `until` is not the later one, it may do so at any one moment between the two. */
interface Zone {
  /** The first of the value's operations has ended. */
  readonly from: number;
  /** The last of them was sent. */
  readonly until: number;
}

/**
 * Whether there is an order of all operations of one register in which each takes effect at one moment between its sending
 * and its end, and each read gives what was written last. Exact, and quick for any history, since a read tells which write it saw (Gibbons
 * and Korach, Testing Shared Memories, 1997): the operations of each value make a zone; those that must hold their value for a time may not overlap,
 * and those that are free must find a moment outside of them. Pure.
 *
 * @param operations of a register that held nothing before.
 */
export function checkRegister(operations: readonly RegisterOperation[]): Verdict {
  const before = Number.NEGATIVE_INFINITY;
  const nothing: RegisterOperation = { kind: "write", value: undefined, sentMs: before, endedMs: before };
  const zones: Zone[] = [];
  for (const own of Map.groupBy([nothing, ...operations], ({ value }) => value).values()) {
    const write = own.find(({ kind }) => kind === "write");
    // It reads what nobody wrote, or what nobody has begun to write.
    if (write === undefined || own.some(({ endedMs }) => endedMs < write.sentMs)) return "violated";
    zones.push({
      from: Math.min(...own.map(({ endedMs }) => endedMs)),
      until: Math.max(...own.map(({ sentMs }) => sentMs)),
    });
  }
  const held = zones.filter(({ from, until }) => from < until).toSorted((a, b) => a.from - b.from);
  const free = zones.filter(({ from, until }) => from >= until);
  const overlaps = held.some(({ from }, i) => i > 0 && from < (held[i - 1]?.until ?? before));
  const crowdedOut = free.some((zone) =>
    held.some(({ from, until }) => from < zone.until && zone.from < until),
  );
  return overlaps || crowdedOut ? "violated" : "linearizable";
}
