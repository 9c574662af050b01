// A tour of node-redis against redis-ha, or a run through a failover. See ../README.md.
import { createRedis, options } from "./connect.ts";
import { runThroughFailover } from "./through-failover.ts";
import { tour } from "./tour.ts";

const redis = createRedis();
// Without a listener the first lost connection would end the program.
redis.on("error", (error) => console.error(error));
await redis.connect();
if (options["run-through-failover"]) await runThroughFailover(redis, options.prefix);
else for await (const step of tour(redis, options.prefix)) console.log(JSON.stringify({ done: step }));
await redis.close();
