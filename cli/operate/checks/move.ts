import { formatAddress } from "../../../runtime/address.ts";
import { movingFrom } from "../move/moving-from.ts";
import { masterOf } from "../status-report.ts";
import { type Check, ofEachRedis } from "./finding.ts";

/** Faults while the data of another Redis are taken over. */
export const moveChecks: readonly Check[] = [
  ofEachRedis(
    "move-not-in-sync",
    "an instance that doesn't copy the Redis whose data are taken over",
    (redis, seen) => {
      const source = movingFrom(seen);
      if (source === undefined) return undefined;
      const followed = masterOf(redis);
      const follows = followed !== undefined && formatAddress(followed) === source;
      if (follows && redis.info.master_link_status === "up") return undefined;
      const copying = follows && redis.info.master_sync_in_progress === "1";
      return {
        severity: copying ? "note" : "error",
        finding: copying
          ? `it copies ${source} just now`
          : `it has no link with ${source}: the cut-over is refused until it has`,
        cure: copying
          ? "wait: redis-ha move status"
          : "its log says why: redis-ha logs; see docs/move.md, When it doesn't follow",
      };
    },
  ),
  {
    name: "move-under-way",
    summary: "another Redis whose data are being taken over",
    find: (seen) => {
      const source = movingFrom(seen);
      if (source === undefined) return [];
      return [
        {
          severity: "note",
          subject: source,
          finding: "it is the master until the cut-over: without it there is no failover",
          cure: "redis-ha move status; then redis-ha move cut-over, or redis-ha move back-out",
        },
      ];
    },
  },
];
