import { formatAddress } from "../../../runtime/address.ts";
import type { MoveNote } from "../../../sentinel-image/move/move-note.ts";
import type { Observation, RedisSeen } from "../observation.ts";
import { findMaster, masterOf } from "../status-report.ts";
import { movingFrom } from "./moving-from.ts";

/** How far a stack is with the data of another Redis. */
export interface MoveReport {
  /** `address:port` of that one; undefined: nothing was ever taken over. */
  readonly source: string | undefined;
  /** `following`: it is the master. `moved`: its data are the stack's own. `backed-out`: the copy was thrown away. `mixed`: instances disagree. */
  readonly state: MoveNote["state"] | "mixed" | "none";
  /** Why a cut-over would be refused; undefined: it may begin. */
  readonly obstacle: string | undefined;
  readonly instances: readonly MovingInstance[];
}

/** One instance. */
export interface MovingInstance {
  readonly name: string;
  readonly state: MoveNote["state"] | "none";
  /** For people. */
  readonly says: string;
}

/** Draws the conclusions from what was seen. Pure. */
export function reportMove(seen: Observation): MoveReport {
  const instances = seen.redis.map((one) => ({
    name: one.name,
    state: one.machine.move?.state ?? ("none" as const),
    says: describe(one),
  }));
  const states = new Set(instances.map(({ state }) => state));
  const [state] = states;
  const source = seen.redis.find(({ machine }) => machine.move !== undefined)?.machine.move?.source;
  const plan = planCutOver(seen);
  return {
    source,
    state: states.size === 1 && state !== undefined ? state : "mixed",
    obstacle: plan.kind === "refuse" ? plan.reason : undefined,
    instances,
  };
}

/** Whether the data can be taken over now, and by whom. */
export type CutOverPlan =
  | { readonly kind: "go"; readonly source: string; readonly heir: RedisSeen }
  | { readonly kind: "refuse"; readonly reason: string };

/** Judges whether a cut-over may be ordered: the instance that gets the order looks at the source itself. Pure. */
export function planCutOver(seen: Observation): CutOverPlan {
  const source = movingFrom(seen);
  if (source === undefined) {
    const moved = seen.redis.find(({ machine }) => machine.move?.state === "moved")?.machine.move;
    return refuse(
      moved === undefined
        ? "no instance takes over another Redis' data: set move:source (docs/move.md)"
        : `the data of ${moved.source} have been taken over already`,
    );
  }
  const { agreed, problem } = findMaster(seen);
  if (agreed === undefined) return refuse(`the Sentinels agree on nobody who could lead: ${problem}`);
  const late = seen.redis.filter((one) => !isInSync(one, source));
  if (late.length > 0) return refuse(late.map((one) => `${one.name}: ${describe(one)}`).join("; "));
  const heir = seen.redis.find(({ address }) => formatAddress(address) === formatAddress(agreed));
  return heir === undefined
    ? refuse(`the Sentinels name ${formatAddress(agreed)}, which is none of the instances`)
    : { kind: "go", source, heir };
}

/** Instances whose copy would be thrown away. A sentence: why it is refused. Pure. */
export function planBackOut(seen: Observation): readonly RedisSeen[] | string {
  const moved = seen.redis.filter(({ machine }) => machine.move?.state === "moved");
  if (moved.length > 0)
    return `${moved.map(({ name }) => name).join(", ")} ${moved.length === 1 ? "has" : "have"} been cut over: the data are this stack's own, and what clients wrote since is nowhere else`;
  const following = seen.redis.filter(({ machine }) => machine.move?.state === "following");
  return following.length === 0 ? "no instance follows another Redis" : following;
}

function isInSync(one: RedisSeen, source: string): boolean {
  const followed = masterOf(one);
  return (
    one.problem === undefined &&
    followed !== undefined &&
    formatAddress(followed) === source &&
    one.info.master_link_status === "up"
  );
}

function describe(one: RedisSeen): string {
  const { info, machine, problem } = one;
  if (problem !== undefined) return problem;
  const followed = masterOf(one);
  if (followed === undefined) return "is a master";
  const state =
    info.master_link_status === "up"
      ? `in sync, last heard of it ${info.master_last_io_seconds_ago ?? "?"} s ago`
      : info.master_sync_in_progress === "1"
        ? `copying, ${Math.round(Number(info.master_sync_left_bytes ?? 0) / 2 ** 20)} MiB left`
        : "without a link";
  const of = formatAddress(followed);
  return `replica of ${of}${machine.move?.state === "following" && machine.move.source !== of ? `, and not of ${machine.move.source}` : ""}, ${state}`;
}

function refuse(reason: string): CutOverPlan {
  return { kind: "refuse", reason };
}
