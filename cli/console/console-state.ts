import { type Address, formatAddress } from "../../runtime/address.ts";
import type { Observation } from "../operate/observation.ts";
import { masterOf, reportStatus } from "../operate/status-report.ts";

/** What the page can have done to a part. */
export const actionNames = ["kill", "freeze", "cut-off", "hand-over", "empty", "restore"] as const;

/** One of {@link actionNames}. */
export type ActionName = (typeof actionNames)[number];

/** What was done to a part and isn't undone: `ended`: it has no process. */
export type Mark = "ended" | "frozen" | "cut off";

/** What is known of the parts beside what they answer. */
export interface Marks {
  /** Of which parts one of the marks holds, by name. */
  readonly of: (name: string) => Mark | undefined;
}

/** One part, as the page shows it. */
export interface PartView {
  readonly name: string;
  readonly kind: "redis" | "sentinel" | "proxy";
  readonly address: string;
  readonly healthy: boolean;
  readonly role: string;
  /** For people. */
  readonly state: string;
  readonly mark: Mark | undefined;
  /** Name of the instance that it follows or names, as far as it says so. */
  readonly points: string | undefined;
  /** Whether that link works. */
  readonly linked: boolean;
  /** Short facts: name and value. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** What can be done to it now. */
  readonly actions: readonly ActionName[];
}

/** Everything that the page shows of a topology. */
export interface ConsoleState {
  /** "this machine", "namespace redis-ha-dev". */
  readonly of: string;
  /** Nothing but a hand-over can be ordered. */
  readonly readOnly: boolean;
  readonly healthy: boolean;
  readonly headline: string;
  readonly master: string | undefined;
  readonly epoch: number | undefined;
  readonly parts: readonly PartView[];
}

/** Draws the page's view from what was seen. Pure. @param marks undefined: a stack, to which nothing destructive is done. */
export function viewTopology(seen: Observation, marks: Marks | undefined): ConsoleState {
  const report = reportStatus(seen);
  const names = new Map(seen.redis.map(({ address, name }) => [formatAddress(address), name]));
  const nameOf = (address: Address | string | undefined): string | undefined => {
    if (address === undefined || address === "") return undefined;
    const text = typeof address === "string" ? address : formatAddress(address);
    return names.get(text) ?? text;
  };
  const master = report.master?.name;
  const finish = (part: Omit<PartView, "mark" | "actions">): PartView => {
    const mark = marks?.of(part.name);
    return { ...part, mark, actions: actionsOf(part, mark, marks !== undefined) };
  };
  const proxies = report.proxies.map((proxy, i) => {
    const { redis_ha_proxy_held_clients: held } = seen.proxies[i]?.metrics ?? {};
    const { name, address, healthy, state, clients, following } = proxy;
    return finish({
      ...{ name, address, healthy, state, kind: "proxy", role: "proxy" },
      points: following === true ? master : undefined,
      linked: following === true,
      facts: facts({ clients, "clients held": held }),
    });
  });
  const redis = report.redis.map((one, i) => {
    const { name, address, state, role, offset, behindBytes, promotable } = one;
    // What its replicas lack shows at theirs.
    const healthy = role === "master" ? name === master : one.healthy;
    const follows =
      role === "replica" ? nameOf(masterOf(seen.redis[i] as (typeof seen.redis)[number])) : undefined;
    return finish({
      ...{ name, address, healthy, role, kind: "redis" },
      state: follows === undefined ? state : state.replace(/replica of [^ ,]+/, `replica of ${follows}`),
      points: follows,
      linked: seen.redis[i]?.info.master_link_status === "up",
      facts: facts({
        offset,
        "bytes behind": behindBytes,
        promotable: promotable === undefined ? undefined : promotable ? "yes" : "no",
      }),
    });
  });
  const sentinels = report.sentinels.map((one, i) => {
    const { name, address, state, names: named, epoch } = one;
    const { problem, info } = seen.sentinels[i] ?? {};
    const linked = problem === undefined && named !== "" && nameOf(named) === master;
    return finish({
      ...{ name, address, kind: "sentinel", role: "Sentinel" },
      // What it knows of Redis that don't answer shows at theirs.
      healthy: linked && one.ckquorum && info?.sentinel_tilt !== "1",
      state: state.replace(named, nameOf(named) ?? named),
      points: nameOf(named),
      linked,
      facts: facts({ epoch, "knows Sentinels": one.knownSentinels, "could promote": one.promotable }),
    });
  });
  return {
    of: seen.namespace === undefined ? "this machine" : `namespace ${seen.namespace}`,
    readOnly: marks === undefined,
    healthy: report.healthy,
    headline: headlineOf(report),
    master,
    epoch: report.master?.epoch,
    parts: [...proxies, ...redis, ...sentinels],
  };
}

function headlineOf({
  master,
  noMaster,
  healthy,
  failoverUnderWay,
}: ReturnType<typeof reportStatus>): string {
  if (failoverUnderWay) return "A failover is under way.";
  if (master === undefined) return `No master: ${noMaster}.`;
  return `${master.name} leads.${healthy ? " All is well." : " Not every part is well."}`;
}

/** What can be done to a part. A stack is never harmed: there a replica can be told to lead, and nothing else. */
function actionsOf(
  { kind, role, healthy }: Pick<PartView, "kind" | "role" | "healthy">,
  mark: Mark | undefined,
  mayHarm: boolean,
): ActionName[] {
  const handOver: ActionName[] = kind === "redis" && role === "replica" && healthy ? ["hand-over"] : [];
  if (!mayHarm) return handOver;
  if (mark !== undefined) return ["restore"];
  if (kind === "proxy") return ["kill"];
  if (kind === "sentinel") return ["kill", "cut-off"];
  // Who doesn't answer can't be told by its process, but what is left of it can be ended.
  return role === "unknown"
    ? ["cut-off", "empty", "restore"]
    : ["kill", "freeze", "cut-off", ...handOver, "empty"];
}

/** Those that are known. */
function facts(some: Readonly<Record<string, number | string | undefined>>): [string, string][] {
  return Object.entries(some).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
}
