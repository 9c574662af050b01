/** One write at its place in the order in which it took effect. */
export interface PlacedWrite {
  readonly id: string;
  readonly sentMs: number;
  /** When it was acknowledged; infinite when it never was. */
  readonly acknowledgedMs: number;
}

/** `later` took effect after `earlier` although it was acknowledged before `earlier` was sent. */
export interface Reordering {
  readonly earlier: string;
  readonly later: string;
}

/**
 * Finds writes that took effect later than a write which was only sent after their acknowledgement.
 *
 * @param placed in the order in which they took effect, each write once.
 */
export function findReorderings(placed: readonly PlacedWrite[]): Reordering[] {
  const found: Reordering[] = [];
  let lastSent: PlacedWrite | undefined;
  for (const write of placed) {
    if (lastSent !== undefined && write.acknowledgedMs < lastSent.sentMs) {
      found.push({ earlier: lastSent.id, later: write.id });
    }
    if (lastSent === undefined || write.sentMs > lastSent.sentMs) lastSent = write;
  }
  return found;
}
