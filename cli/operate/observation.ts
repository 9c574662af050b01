import type { Address } from "../../runtime/address.ts";
import type { MoveNote } from "../../sentinel-image/move/move-note.ts";
import type { Heartbeat } from "../../sentinel-image/supervise/heartbeat.ts";

/** Fields of an INFO, a `CONFIG GET` or a Sentinel's list, as the server tells them. */
export type Fields = Readonly<Record<string, string>>;

/** Everything that `status` and `doctor` know of a topology: what each part answered, and nothing that was concluded from it. */
export interface Observation {
  /** When it was looked, ms since 1970. */
  readonly atMs: number;
  /** Of a deployed stack; undefined: it is the topology of this machine. */
  readonly namespace?: string;
  /** The name under which the Sentinels know the master. */
  readonly masterName: string;
  readonly redis: readonly RedisSeen[];
  readonly sentinels: readonly SentinelSeen[];
  readonly proxies: readonly ProxySeen[];
  /** What the Sentinels and instances wrote about failovers, oldest first. */
  readonly events: readonly LoggedEvent[];
}

/** What all parts have. */
interface PartSeen {
  /** `redis-instance-1`. */
  readonly name: string;
  /** Where the other parts reach it. */
  readonly address: Address;
  /** Why it didn't answer; undefined: it did. */
  readonly problem: string | undefined;
}

/** One Redis. Everything is empty when it didn't answer. */
export interface RedisSeen extends PartSeen {
  readonly info: Fields;
  readonly config: Fields;
  /** `epoch:ms` of the last write of the master that this copy has. */
  readonly heartbeat: string | undefined;
  readonly machine: MachineSeen;
}

/** Where a Redis runs, as far as it could be found out. */
export interface MachineSeen {
  /** Its clock minus the clock of whoever looked, ms. */
  readonly clockMs?: number;
  /** How long the question for it took, ms: the difference may be too big by so much. */
  readonly clockErrorMs?: number;
  /** Its own clock when it was asked, ms since 1970. */
  readonly askedMs?: number;
  readonly diskBytes?: number;
  readonly diskFreeBytes?: number;
  /** How new its copy was when its supervisor last noted it: known of one that doesn't run, too. */
  readonly noted?: Heartbeat;
  /** An operator has fenced it, and says why; unset: it isn't fenced. */
  readonly fenced?: string;
  /** What its volume says of another Redis, whose data it takes over; unset: nothing. */
  readonly move?: MoveNote;
  /** Its certificate ends, ms since 1970. */
  readonly certificateEndsMs?: number;
}

/** One Sentinel. */
export interface SentinelSeen extends PartSeen {
  readonly info: Fields;
  /** The master that it names. */
  readonly named: Address | undefined;
  /** `SENTINEL MASTER`. */
  readonly master: Fields;
  /** `SENTINEL REPLICAS`. */
  readonly replicas: readonly Fields[];
  /** `SENTINEL SENTINELS`: the others that it knows. */
  readonly others: readonly Fields[];
  readonly id: string;
}

/** One proxy. */
export interface ProxySeen extends PartSeen {
  /** Values of `/metrics` by name, of those without labels; empty when they couldn't be had. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** One line of a log that tells of a failover. */
export interface LoggedEvent {
  readonly atMs: number;
  /** The part that wrote it. */
  readonly part: string;
  /** A Sentinel's event, `+switch-master`, or `paused` and `handed-over` of an instance. */
  readonly event: string;
  /** Of `paused`: the ms. Of the others: what the event is about. */
  readonly text: string;
}
