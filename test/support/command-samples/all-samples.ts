import { collections } from "./collections.ts";
import { connectionAndServer } from "./connection-and-server.ts";
import { keysAndStrings } from "./keys-and-strings.ts";
import type { Samples } from "./sample.ts";
import { streamsAndScripts } from "./streams-and-scripts.ts";

/** Samples of every command that the proxy lets through. */
export const allSamples: Samples = {
  ...keysAndStrings,
  ...collections,
  ...streamsAndScripts,
  ...connectionAndServer,
};

/** Commands of which only the type of the reply is compared, and why. */
export const varyingReplies: Readonly<Record<string, string>> = {
  "acl|genpass": "it is random",
  "client|id": "each connection has its own, and the proxy's are others",
  "client|info": "each connection has its own",
  "client|list": "the proxy's connections are among them",
  hello: "it tells the number of the connection",
  info: "it tells counters and times",
  lastsave: "it is a time",
  "latency|doctor": "it depends on what happened before",
  "latency|histogram": "it tells times",
  "latency|latest": "it depends on what happened before",
  "memory|doctor": "it depends on how much memory is in use",
  "memory|malloc-stats": "it tells counters",
  "memory|stats": "it tells how much memory is in use",
  monitor: "it tells times and addresses",
  role: "its offset grows with every write",
  "slowlog|get": "it depends on how quick the machine is",
  "slowlog|len": "it depends on how quick the machine is",
  time: "it is a time",
};

/** Commands whose replies are compared without their order: Redis walks through hash tables that it is still resizing. */
export const unorderedReplies: ReadonlySet<string> = new Set([
  "acl|cat",
  "command",
  "command|docs",
  "command|info",
  "command|list",
]);

/** What every sample finds on the server, which was emptied before. */
export const dataset: readonly string[] = [
  "SET str value",
  "SET text evaluation",
  "SET num 41",
  `SET big ${"x".repeat(20_000)}`,
  "SET until x EXAT 33177117420",
  "PFADD hll a b c",
  "GEOADD places 12.5 41.9 Rome 10.75 59.91 Oslo",
  "RPUSH list a b c b",
  "RPUSH nums 3 1 2",
  "HSET hash f v n 5",
  "SADD set a 2 3",
  "SADD set2 1 2 3",
  "SADD set3 3 4",
  "ZADD zset 1 a 2 b 3.5 c",
  "ZADD zset2 10 b 20 d",
  "XADD stream 1-0 f v g w",
  "XADD stream 2-0 f v",
  "XGROUP CREATE stream g 0",
  "XGROUP CREATE empty g 0 MKSTREAM",
];
