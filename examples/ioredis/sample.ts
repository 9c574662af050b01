// A tour of ioredis against redis-ha, or a run through a failover. See ../README.md.
import { connect, options } from "./connect.ts";
import { runThroughFailover } from "./through-failover.ts";
import { tour } from "./tour.ts";

const redis = connect();
if (options["run-through-failover"]) await runThroughFailover(redis, options.prefix);
else for await (const step of tour(redis, options.prefix)) console.log(JSON.stringify({ done: step }));
redis.disconnect();
