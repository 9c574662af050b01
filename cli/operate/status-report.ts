import { agree, majorityOf, type SentinelView } from "../../quorum/agreement.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";
import { describeVersion } from "../../runtime/engine.ts";
import { type FailoverStory, tellLastFailover } from "./last-failover.ts";
import { movingFrom } from "./move/moving-from.ts";
import type { Observation, ProxySeen, RedisSeen, SentinelSeen } from "./observation.ts";

/** What `redis-ha status` says. */
export interface StatusReport {
  /** Whether all is as it should be; the exit code is 1 when it isn't. */
  readonly healthy: boolean;
  /** The master that a majority of the Sentinels names and that says so itself. */
  readonly master: { readonly name: string; readonly address: string; readonly epoch: number } | undefined;
  /** Why there is no master; empty when there is one. */
  readonly noMaster: string;
  /** `address:port` of another Redis that is the master until its data are taken over; undefined: none is. */
  readonly movingFrom: string | undefined;
  readonly failoverUnderWay: boolean;
  readonly redis: readonly RedisStatus[];
  readonly sentinels: readonly SentinelStatus[];
  readonly proxies: readonly ProxyStatus[];
  readonly lastFailover: FailoverStory | undefined;
}

interface PartStatus {
  readonly name: string;
  readonly address: string;
  readonly healthy: boolean;
  /** For people. */
  readonly state: string;
}

/** One Redis. */
export interface RedisStatus extends PartStatus {
  readonly version: string;
  readonly role: "master" | "replica" | "unknown";
  /** Position in the stream of writes, bytes. */
  readonly offset: number | undefined;
  /** Behind the master, bytes, as it was when both were asked; undefined of the master, and of one that doesn't follow it. */
  readonly behindBytes: number | undefined;
  /** Whether the Sentinels may promote it; undefined of the master. */
  readonly promotable: boolean | undefined;
}

/** One Sentinel. */
export interface SentinelStatus extends PartStatus {
  readonly version: string;
  readonly names: string;
  readonly epoch: number | undefined;
  readonly quorum: number | undefined;
  readonly knownSentinels: number;
  readonly knownReplicas: number;
  readonly promotable: number;
  /** What `SENTINEL CKQUORUM` would say: whether those that it reaches can see a master down and elect a leader. */
  readonly ckquorum: boolean;
}

/** One proxy. */
export interface ProxyStatus extends PartStatus {
  readonly clients: number | undefined;
  readonly following: boolean | undefined;
}

/** The master that a majority names, and the instance that says so itself. */
export function findMaster({ redis, sentinels }: Observation): {
  readonly agreed: Address | undefined;
  readonly epoch: number;
  readonly instance: RedisSeen | undefined;
  readonly problem: string;
} {
  const views = sentinels.flatMap((seen): SentinelView[] => {
    if (seen.named === undefined) return [];
    return [
      {
        sentinel: seen.address,
        master: seen.named,
        configEpoch: Number(seen.master["config-epoch"] ?? 0),
        flags: flagsOf(seen.master),
        replicas: seen.replicas.length,
        otherSentinels: seen.others.length,
      },
    ];
  });
  const agreement = agree(views, { sentinelCount: sentinels.length });
  if (agreement.kind === "none")
    return { agreed: undefined, epoch: 0, instance: undefined, problem: agreement.reason };
  const { master, configEpoch: epoch } = agreement;
  const instance = redis.find(({ address, info }) => sameAddress(address, master) && info.role === "master");
  const problem =
    instance === undefined ? `the Sentinels name ${formatAddress(master)}, which isn't one` : "";
  return { agreed: master, epoch, instance, problem };
}

/** Draws the conclusions from what was seen. Pure. */
export function reportStatus(seen: Observation): StatusReport {
  const { agreed, epoch, instance, problem } = findMaster(seen);
  const source = movingFrom(seen);
  const redis = seen.redis.map((one) => reportRedis(one, agreed, instance, seen.redis.length - 1));
  const sentinels = seen.sentinels.map((one) => reportSentinel(one, agreed, seen));
  const proxies = seen.proxies.map(reportProxy);
  const parts = [...redis, ...sentinels, ...proxies];
  return {
    healthy: (instance !== undefined || source !== undefined) && parts.every(({ healthy }) => healthy),
    master: instance && { name: instance.name, address: formatAddress(instance.address), epoch },
    noMaster:
      source === undefined || instance !== undefined
        ? problem
        : `${source} is the master until redis-ha move cut-over`,
    movingFrom: source,
    failoverUnderWay: isFailingOver(seen),
    redis,
    sentinels,
    proxies,
    lastFailover: tellLastFailover(seen.events, seen.sentinels.length),
  };
}

/** Whether a Sentinel is at work on a failover. */
export function isFailingOver({ sentinels }: Observation): boolean {
  return sentinels.some(({ master }) => flagsOf(master).includes("failover_in_progress"));
}

/** The address that a Redis follows. */
export function masterOf({ info }: RedisSeen): Address | undefined {
  const { master_host: host, master_port: port } = info;
  return info.role === "slave" && host !== undefined ? { host, port: Number(port) } : undefined;
}

/** Position of a Redis in the stream of writes, bytes. */
export function offsetOf({ info }: RedisSeen): number | undefined {
  const text = info.role === "slave" ? info.slave_repl_offset : info.master_repl_offset;
  return text === undefined ? undefined : Number(text);
}

/** The flags in a Sentinel's list. */
export function flagsOf(fields: Readonly<Record<string, string>>): string[] {
  return (fields.flags ?? "").split(",");
}

/** Replicas that a Sentinel could promote now. */
export function promotableOf({ replicas }: SentinelSeen): number {
  return replicas.filter(
    (fields) =>
      !flagsOf(fields).some((flag) => ["s_down", "disconnected"].includes(flag)) &&
      fields["master-link-status"] === "ok" &&
      Number(fields["slave-priority"]) > 0,
  ).length;
}

/** How many Sentinels one reaches, itself among them: what `SENTINEL CKQUORUM` counts (`sentinel.c`). */
export function usableSentinels({ others }: SentinelSeen): number {
  const away = ["s_down", "o_down", "disconnected"];
  return 1 + others.filter((fields) => !flagsOf(fields).some((flag) => away.includes(flag))).length;
}

function reportRedis(
  seen: RedisSeen,
  agreed: Address | undefined,
  master: RedisSeen | undefined,
  replicas: number,
): RedisStatus {
  const { name, address, info, config } = seen;
  const offset = offsetOf(seen);
  const common = { name, address: formatAddress(address), version: describeVersion(info), offset };
  const unknown = { behindBytes: undefined, promotable: undefined };
  if (seen.machine.fenced !== undefined)
    return {
      ...common,
      ...unknown,
      role: "unknown",
      healthy: false,
      state: `fenced: ${seen.machine.fenced}`,
    };
  if (seen.problem !== undefined)
    return { ...common, ...unknown, role: "unknown", healthy: false, state: seen.problem };
  if (info.role === "master") {
    const isAgreed = agreed !== undefined && sameAddress(agreed, address);
    const connected = Number(info.connected_slaves);
    return {
      ...common,
      ...unknown,
      role: "master",
      healthy: isAgreed && connected === replicas,
      state: `${isAgreed ? "master" : "master, but the Sentinels don't name it"}, ${connected} of ${replicas} replicas`,
    };
  }
  const followed = masterOf(seen);
  const follows = agreed !== undefined && followed !== undefined && sameAddress(followed, agreed);
  const linked = info.master_link_status === "up";
  const { move } = seen.machine;
  const copies =
    move?.state === "following" && followed !== undefined && formatAddress(followed) === move.source;
  const masterOffset = master && offsetOf(master);
  const behind =
    follows && linked && offset !== undefined && masterOffset !== undefined
      ? Math.max(0, masterOffset - offset)
      : undefined;
  const promotable = Number(config["replica-priority"] ?? info.slave_priority) > 0;
  const words = [
    `replica of ${followed === undefined ? "nobody" : formatAddress(followed)}`,
    ...(follows || copies ? [] : ["which isn't the master"]),
    info.master_sync_in_progress === "1" ? "copying everything" : linked ? "in sync" : "without a link",
    ...(promotable || copies ? [] : ["must not be promoted"]),
  ];
  return {
    ...common,
    role: "replica",
    behindBytes: behind,
    promotable,
    healthy: linked && (copies || (follows && promotable)),
    state: words.join(", "),
  };
}

function reportSentinel(seen: SentinelSeen, agreed: Address | undefined, all: Observation): SentinelStatus {
  const { name, address, info, named, master, problem, replicas, others } = seen;
  const wanted = { sentinels: all.sentinels.length, replicas: all.redis.length - 1 };
  const quorum = master.quorum === undefined ? undefined : Number(master.quorum);
  const usable = usableSentinels(seen);
  const known = others.length + 1;
  const ckquorum =
    problem === undefined && quorum !== undefined && usable >= quorum && usable >= majorityOf(known);
  const promotable = promotableOf(seen);
  const common = {
    name,
    address: formatAddress(address),
    version: describeVersion(info),
    names: named === undefined ? "" : formatAddress(named),
    epoch: master["config-epoch"] === undefined ? undefined : Number(master["config-epoch"]),
    quorum,
    knownSentinels: known,
    knownReplicas: replicas.length,
    promotable,
    ckquorum,
  };
  if (problem !== undefined) return { ...common, healthy: false, state: problem };
  const agrees = named !== undefined && agreed !== undefined && sameAddress(named, agreed);
  const moving = movingFrom(all) !== undefined;
  const flags = flagsOf(master).filter((flag) => flag !== "master");
  const words = [
    `names ${common.names} at epoch ${common.epoch}`,
    `reaches ${usable} of ${wanted.sentinels}`,
    `quorum ${quorum}${ckquorum ? "" : " NOT reachable"}`,
    `could promote ${promotable} of ${wanted.replicas}`,
    ...(known === wanted.sentinels ? [] : [`knows ${known} Sentinels`]),
    ...(info.sentinel_tilt === "1" ? ["in TILT"] : []),
    ...flags,
  ];
  const complete =
    known === wanted.sentinels && usable === known && (moving || promotable === wanted.replicas);
  return {
    ...common,
    healthy: agrees && complete && ckquorum && (moving || flags.length === 0) && info.sentinel_tilt !== "1",
    state: words.join(", "),
  };
}

function reportProxy({ name, address, problem, metrics }: ProxySeen): ProxyStatus {
  const { redis_ha_proxy_clients: clients, redis_ha_proxy_following: following } = metrics;
  return {
    name,
    address: formatAddress(address),
    healthy: problem === undefined,
    state: problem ?? `ready${clients === undefined ? "" : `, ${clients} clients`}`,
    clients,
    following: following === undefined ? undefined : following === 1,
  };
}
