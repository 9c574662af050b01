/**
 * The users of the product's own parts. Each has a password of its own, in a Secret that only those pods mount which need
 * it. None of them can read or write the applications' data, but `replica`, to which a master sends all of them.
 */
export const partUsers = ["sentinel", "replica", "proxy", "supervisor", "probe", "exporter"] as const;

/** Name of a part's user. */
export type PartUser = (typeof partUsers)[number];

const nothing = "resetkeys resetchannels -@all";

/** What each part may do on a Redis. */
export const redisRules: Readonly<Record<PartUser, string>> = {
  // What a Sentinel sends: it watches, tells the other Sentinels about itself, and promotes.
  sentinel: `resetkeys resetchannels &__sentinel__:hello -@all ${commands(
    "ping info role subscribe publish multi exec slaveof config|rewrite client|setname client|kill script|kill",
  )}`,
  replica: `${nothing} ${commands("psync replconf ping")}`,
  // Its own questions, and the scripts that a new master lacks. A client's commands go out as that client's user.
  proxy: `${nothing} ${commands("ping role info command select script|load")}`,
  // It rules this Redis. Its password is in the Redis pods alone.
  supervisor: `~__ha:* resetchannels -@all ${commands(
    "ping role info get set wait replicaof config|get config|set client|list client|kill client|pause client|unpause acl|users acl|setuser acl|deluser bgrewriteaof",
  )}`,
  // What instances ask one another.
  probe: `%R~__ha:* resetchannels -@all ${commands("ping role info get")}`,
  // Not CONFIG GET, which tells the password of `replica`.
  exporter: `${nothing} ${commands("ping info dbsize client|list slowlog|get slowlog|len latency|latest latency|histogram")}`,
};

/**
 * With `redis:durability quorum` a Sentinel may promote an instance, and not have one follow another: that may throw away the last copy of a write, so the
 * instance's supervisor decides it.
 */
export const promotingOnly = redisRules.sentinel.replace("+slaveof", "+slaveof|no");

/**
 * What each part may do on a Sentinel. `SENTINEL SET`, `MONITOR`, `REMOVE` and `RESET` are the supervisor's alone: it
 * repairs a Sentinel that watches the wrong master, or knows hosts that are gone.
 */
export const sentinelRules: Readonly<Partial<Record<PartUser, string>>> = {
  // The other Sentinels. Before it starts, one asks the others who is the master.
  sentinel: `resetkeys resetchannels &__sentinel__:hello -@all ${commands(
    "ping publish client|setname sentinel|is-master-down-by-addr sentinel|master sentinel|get-master-addr-by-name sentinel|sentinels",
  )}`,
  // Events have their names as channels: +switch-master, -odown.
  proxy: `resetkeys resetchannels &+* &-* -@all ${commands(
    "ping info role subscribe sentinel|master sentinel|get-master-addr-by-name",
  )}`,
  // It hears when an instance is being promoted, which its own has to follow, or, when it is that, to announce to the others.
  supervisor: `resetkeys resetchannels &__sentinel__:hello &+new-epoch &+try-failover &+selected-slave &+failover-state-wait-promotion &+switch-master -@all ${commands(
    "ping info role subscribe publish client|list client|kill sentinel|master sentinel|get-master-addr-by-name sentinel|replicas sentinel|sentinels sentinel|myid sentinel|debug sentinel|failover sentinel|set sentinel|monitor sentinel|remove sentinel|reset",
  )}`,
  probe: `${nothing} ${commands("ping info sentinel|master sentinel|get-master-addr-by-name")}`,
  exporter: `resetkeys resetchannels &+* &-* -@all ${commands("ping info subscribe psubscribe sentinel|masters sentinel|master sentinel|replicas sentinel|sentinels sentinel|ckquorum")}`,
};

/**
 * What a client with Sentinel support may do on a real Sentinel. Only needed without the proxy's own Sentinel API. To read
 * all channels is harmless, and `PSUBSCRIBE` allows only what is allowed literally.
 */
export const sentinelClientRules = `resetkeys allchannels -@all +@connection -@admin -@dangerous ${commands(
  "info role subscribe psubscribe unsubscribe punsubscribe sentinel|get-master-addr-by-name sentinel|master sentinel|masters sentinel|replicas sentinel|slaves sentinel|sentinels",
)}`;

function commands(names: string): string {
  return names
    .split(" ")
    .map((name) => `+${name}`)
    .join(" ");
}
