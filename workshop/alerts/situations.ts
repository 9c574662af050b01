import type { ClusterControl, NamedPart } from "../chaos/cluster-control.ts";
import { waitUntil } from "../chaos/wait-until.ts";

/** What a {@link Situation} is made with. */
export interface SituationContext {
  readonly cluster: ClusterControl;
  readonly master: NamedPart;
  readonly replicas: readonly NamedPart[];
  /** The group of processes of a part. */
  readonly signal: (part: NamedPart, signal: NodeJS.Signals) => void;
}

/** Something that goes wrong, or only seems to, and the alerts that tell of it. */
export interface Situation {
  readonly name: string;
  /** Those that fire, and no other one does. In the order of their names. */
  readonly fires: readonly string[];
  /** Until they do, s. Default 30. */
  readonly withinSeconds?: number;
  readonly make: (context: SituationContext) => Promise<unknown>;
}

const uncertain = "RedisHaUncertain";

/** All of them; what is over within seconds wakes nobody. */
export const situations: readonly Situation[] = [
  { name: "nothing happens", fires: [], make: async () => undefined },
  {
    name: "the master's role is moved (`SENTINEL FAILOVER`)",
    fires: [],
    make: ({ cluster }) => {
      const [sentinel] = cluster.sentinels;
      return sentinel === undefined ? Promise.resolve() : failOver(cluster, sentinel);
    },
  },
  {
    name: "the master is told to stop, and is started again",
    fires: [],
    // Ends it as a kubelet does, before it starts it.
    make: ({ cluster, master }) => cluster.start(master),
  },
  {
    name: "a replica dies, and is started again",
    fires: [],
    make: async ({ cluster, replicas: [replica] }) => {
      if (replica === undefined) return;
      await cluster.kill(replica);
      await cluster.start(replica);
    },
  },
  {
    name: "the master is killed, and is started again after the failover",
    fires: [uncertain],
    make: async ({ cluster, master }) => {
      await cluster.kill(master);
      await nextMaster(cluster, master);
      await cluster.start(master);
    },
  },
  {
    name: "the master freezes for good",
    fires: ["RedisHaInstanceMissing", uncertain],
    make: async ({ master, signal }) => signal(master, "SIGSTOP"),
  },
  {
    name: "a replica ends for good",
    fires: ["RedisHaInstanceMissing"],
    make: ({ cluster, replicas: [replica] }) =>
      replica === undefined ? Promise.resolve() : cluster.kill(replica),
  },
  {
    name: "both replicas end for good",
    fires: ["RedisHaInstanceMissing", "RedisHaNobodyPromotable"],
    make: ({ cluster, replicas }) => Promise.all(replicas.map((replica) => cluster.kill(replica))),
  },
  {
    name: "all Redis end for good, the master first",
    fires: [
      "RedisHaInstanceMissing",
      "RedisHaNoMaster",
      "RedisHaNobodyPromotable",
      "RedisHaProxyWithoutMaster",
      uncertain,
    ],
    make: async ({ cluster, master, replicas }) => {
      for (const instance of [master, ...replicas]) await cluster.kill(instance);
    },
  },
  {
    name: "a Sentinel ends for good",
    fires: ["RedisHaSentinelMissing"],
    make: ({ cluster }) => Promise.all(cluster.sentinels.slice(0, 1).map((one) => cluster.kill(one))),
  },
  {
    name: "a Sentinel freezes for good",
    fires: ["RedisHaSentinelMissing"],
    make: async ({ cluster, signal }) => cluster.sentinels.slice(0, 1).map((one) => signal(one, "SIGSTOP")),
  },
  {
    name: "two Sentinels end for good",
    fires: ["RedisHaNoMajority", "RedisHaSentinelMissing"],
    make: ({ cluster }) => Promise.all(cluster.sentinels.slice(0, 2).map((one) => cluster.kill(one))),
  },
  {
    name: "redis-server of a replica crashes three times",
    fires: ["RedisHaCrashLoop"],
    make: async ({ cluster, replicas: [replica] }) => {
      if (replica === undefined) return;
      for (let i = 0; i < 3; i++) {
        process.kill(await cluster.serverPid(replica), "SIGKILL");
        await cluster.waitForEnd(replica);
        await cluster.start(replica);
        await waitUntil(`${replica.name} is well`, () => cluster.isHealthy(replica), 20_000);
      }
    },
  },
  {
    name: "the memory is nearly full",
    fires: ["RedisHaMemoryNearlyFull"],
    withinSeconds: 90,
    make: async ({ cluster, master }) => {
      for (let i = 0; (await fillingOf(cluster, master)) < 0.93; i++)
        await cluster.call(master, "SETRANGE", `filling:${i}`, 2 ** 20 - 1, "x");
    },
  },
];

async function failOver(cluster: ClusterControl, sentinel: NamedPart): Promise<void> {
  const [line = ""] =
    String(await cluster.call(sentinel, "INFO", "sentinel")).match(/^master0:name=[^,]+/m) ?? [];
  await cluster.call(sentinel, "SENTINEL", "FAILOVER", line.replace("master0:name=", ""));
}

/** The part of its maxmemory that an instance uses. */
async function fillingOf(cluster: ClusterControl, instance: NamedPart): Promise<number> {
  const info = String(await cluster.call(instance, "INFO", "memory"));
  const [used, most] = ["used_memory", "maxmemory"].map((name) =>
    Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1]),
  );
  return Number(used) / Number(most);
}

async function nextMaster(cluster: ClusterControl, before: NamedPart): Promise<void> {
  await waitUntil(
    "another instance is the master",
    async () => {
      const { name } = await cluster.master();
      return name !== before.name || undefined;
    },
    20_000,
  );
}
