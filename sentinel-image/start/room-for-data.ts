import { memoryFor, memoryWithoutCopies } from "../../runtime/memory-budget.ts";

/** Whether an instance may follow a master: whether it has room for its data. */
export type Room =
  | { readonly kind: "enough" }
  /** It may, and says this. */
  | { readonly kind: "evicts"; readonly warning: string }
  | { readonly kind: "too-small"; readonly problem: string };

/** What is compared. */
export interface RoomQuestion {
  readonly maxmemory: number;
  readonly policy: string;
  /** Name of the master. */
  readonly master: string;
  /** Its INFO. */
  readonly info: ReadonlyMap<string, string>;
}

/**
 * Whether a `maxmemory` that is smaller than the master's still holds what the master has: `redis:memory` was lowered. A replica
 * takes all of it whatever its own bound is, and would refuse every write as soon as it is the master. The same bound as the master's
 * is never too small: what it holds is then the clients' doing.
 */
export function judgeRoom({ maxmemory, policy, master, info }: RoomQuestion): Room {
  const masters = Number(info.get("maxmemory") ?? 0);
  const counted = Number(info.get("used_memory") ?? 0) - Number(info.get("mem_not_counted_for_evict") ?? 0);
  const unbounded = masters === 0;
  if ((!unbounded && maxmemory >= masters) || counted <= maxmemory) return { kind: "enough" };
  const found = `${master} holds ${inMiB(counted)}, and redis:memory leaves this instance ${inMiB(maxmemory)} for data`;
  const advice = `set redis:memory to at least ${memoryFor(counted)} (pulumi config set redis:memory ${memoryFor(counted)})`;
  if (policy.startsWith("allkeys-") && counted <= memoryWithoutCopies(maxmemory)) {
    return {
      kind: "evicts",
      warning: `${found}: as the master it will evict the rest (${policy}). To keep all, ${advice}`,
    };
  }
  return {
    kind: "too-small",
    problem: `${found}: it doesn't start, and the others go on as they are. Either ${advice}, or delete data`,
  };
}

function inMiB(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
