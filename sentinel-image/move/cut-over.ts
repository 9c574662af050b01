import { setTimeout as delay } from "node:timers/promises";
import { askRole, type Role } from "../../quorum/ask-role.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { formatAddress } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import type { MoveSource } from "../../runtime/move-source.ts";
import { followsSource } from "./move-note.ts";
import type { SourceFence } from "./source-fence.ts";

/** How long the source's writes are paused at most, ms, and how long of that its last ones may take to arrive. */
export const cutOverTimes = { pause: 4000, arriving: 2000 } as const;
const askEveryMs = 5;

export interface CutOverOptions {
  readonly source: MoveSource;
  /** A connection with it. */
  readonly foreign: ControlConnection;
  readonly fence: SourceFence;
  /** This instance's own server, which is to lead. */
  readonly own: ControlConnection;
  /** The other instances. */
  readonly peers: readonly ControlConnection[];
  /** Notes on the volume how far it is. That it has been made is noted by whoever asked for it. */
  readonly note: (state: "cutting" | "following") => void;
}

/** What came of it. `undone`: everything is as it was. */
export type CutOverOutcome =
  | { readonly kind: "leads"; readonly pausedMs: number }
  | {
      readonly kind: "undone";
      readonly reason: string;
      readonly pausedMs: number | undefined;
      /** The source has its role, or was told to have it. */
      readonly reopened: boolean;
    };

/**
 * Makes the own server the master in the source's place: the source takes no more writes, what it took arrives, and only then the role changes. Before
 * that any trouble leaves both sides as they were.
 *
 * From the moment on in which the source has lost its role nobody is asked for anything that takes time: a proxy that sees it gives up what waits there after
 * half a second, and doesn't know then what became of it.
 */
export async function cutOver(options: CutOverOptions): Promise<CutOverOutcome> {
  const { source, foreign, fence, own, note } = options;
  const obstacle = await findObstacle(options);
  if (obstacle !== undefined)
    return { kind: "undone", reason: obstacle, pausedMs: undefined, reopened: true };
  // Whoever is killed from here on looks at the source when it is started again: what that says has been decided.
  note("cutting");
  const begin = performance.now();
  const pausedMs = (): number => Math.round(performance.now() - begin);
  try {
    await fence.begin(cutOverTimes.pause);
    await untilArrived(foreign, own);
    // Later the source may take writes again, while this instance believes that it has all.
    if (pausedMs() > cutOverTimes.pause - 1000) throw new Error("it took too long");
    await fence.close();
    await own.call("REPLICAOF", "NO", "ONE");
  } catch (error) {
    // The orders may have arrived all the same.
    await own.call("REPLICAOF", source.address.host, source.address.port).catch(() => undefined);
    const reopened = await fence.undo().then(
      () => true,
      () => false,
    );
    note("following");
    return { kind: "undone", reason: messageOf(error), pausedMs: pausedMs(), reopened };
  }
  // Those that wait get their answer, and the proxies send them here.
  await fence.end().catch(() => undefined);
  return { kind: "leads", pausedMs: pausedMs() };
}

async function untilArrived(foreign: ControlConnection, own: ControlConnection): Promise<void> {
  const last = await askRole(foreign);
  if (last.kind !== "master") throw new Error("the source is a replica now");
  const deadline = performance.now() + cutOverTimes.arriving;
  for (;;) {
    const role = await askRole(own);
    if (role.kind === "replica" && role.offset >= last.offset) return;
    if (performance.now() > deadline)
      throw new Error(`its last writes have not arrived within ${cutOverTimes.arriving / 1000} s`);
    await delay(askEveryMs);
  }
}

/** Why it must not begin. */
async function findObstacle({
  source,
  foreign,
  fence,
  own,
  peers,
}: CutOverOptions): Promise<string | undefined> {
  const roles = await Promise.all([own, ...peers].map(async (one) => [one, await askRole(one)] as const));
  for (const [{ address }, role] of roles) {
    const name = formatAddress(address);
    if (!isReplicaOf(role, source)) return `${name} doesn't follow ${formatAddress(source.address)}`;
    if (!role.linkUp)
      return `${name} is not in sync yet: it has no link with ${formatAddress(source.address)}`;
  }
  const name = formatAddress(source.address);
  const { kind } = await askRole(foreign);
  if (kind !== "master") return `${name} is no master any more`;
  // It has to be able to refuse writes afterwards.
  return fence.check().then(
    () => undefined,
    (error: unknown) => `the old master can't be kept from taking writes: ${messageOf(error)}`,
  );
}

function isReplicaOf(role: Role, source: MoveSource): role is Extract<Role, { kind: "replica" }> {
  return role.kind === "replica" && followsSource(role, source);
}
