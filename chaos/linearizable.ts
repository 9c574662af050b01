/** One read or write of a register. Times are in ms; each write has a value of its own. */
export interface RegisterOperation {
  readonly kind: "read" | "write";
  /** What was written or read; undefined: a read found nothing. */
  readonly value: string | undefined;
  readonly sentMs: number;
  /** Infinite for a write whose outcome nobody knows: it may take effect at any later time, or never. */
  readonly endedMs: number;
}

/** `undecided`: the search was given up. */
export type Verdict = "linearizable" | "violated" | "undecided";

/** Enough for every register of a run; a search that needs more has found no short way. */
const maxSteps = 200_000;

/**
 * Whether there is an order of all operations of one register in which each takes effect at one moment between its sending
 * and its end, and each read gives what was written last: the search of Wing and Gong, with the memory of Lowe. Pure.
 *
 * @param operations of a register that held nothing before; a few hundred at most.
 */
export function checkRegister(operations: readonly RegisterOperation[]): Verdict {
  const all = [...operations].sort((a, b) => a.sentMs - b.sentMs);
  const done = new Array<boolean>(all.length).fill(false);
  /** Operations with an end that have not taken effect: when none is left, an order is found. */
  let left = all.filter(hasEnd).length;
  /** Which have taken effect and what the register holds then: from there no way leads on. */
  const deadEnds = new Set<string>();
  const path: { readonly index: number; readonly before: string | undefined }[] = [];
  let value: string | undefined;
  let next = 0;
  const take = (index: number): void => {
    const operation = all[index];
    path.push({ index, before: value });
    done[index] = true;
    if (operation?.kind === "write") value = operation.value;
    if (operation !== undefined && hasEnd(operation)) left--;
  };
  const takeBack = (): number | undefined => {
    const last = path.pop();
    if (last === undefined) return undefined;
    done[last.index] = false;
    value = last.before;
    const operation = all[last.index];
    if (operation !== undefined && hasEnd(operation)) left++;
    // A read could only be put off: nothing is won by that.
    return operation?.kind === "read" ? takeBack() : last.index;
  };
  for (let step = 0; step < maxSteps; step++) {
    // A read of what the register holds may always come at once: it changes nothing, and later it might not fit any more.
    for (let read = candidate(all, done, "read", value, 0); read !== undefined; ) {
      take(read);
      read = candidate(all, done, "read", value, 0);
    }
    if (left === 0) return "linearizable";
    const write = candidate(all, done, "write", value, next);
    if (write !== undefined) {
      take(write);
      next = 0;
      const state = `${done.map(Number).join("")} ${value ?? ""}`;
      if (!deadEnds.has(state)) {
        deadEnds.add(state);
        continue;
      }
    }
    const last = takeBack();
    if (last === undefined) return "violated";
    next = last + 1;
  }
  return "undecided";
}

function hasEnd({ endedMs }: RegisterOperation): boolean {
  return endedMs !== Number.POSITIVE_INFINITY;
}

/** The next write, or read of `value`, from a place on, that could take effect now: none that is left ended before it was sent. */
function candidate(
  all: readonly RegisterOperation[],
  done: readonly boolean[],
  kind: RegisterOperation["kind"],
  value: string | undefined,
  from: number,
): number | undefined {
  let firstEnd = Number.POSITIVE_INFINITY;
  for (const [i, { endedMs, sentMs }] of all.entries()) {
    if (sentMs > firstEnd) break;
    if (!done[i]) firstEnd = Math.min(firstEnd, endedMs);
  }
  for (let i = from; i < all.length; i++) {
    const operation = all[i];
    if (operation === undefined || operation.sentMs > firstEnd) return undefined;
    if (!done[i] && operation.kind === kind && (kind === "write" || operation.value === value)) return i;
  }
  return undefined;
}
