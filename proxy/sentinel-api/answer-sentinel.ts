import { majorityOf } from "../../quorum/agreement.ts";
import { error, type ReplyValue, status } from "../resp/encode-reply.ts";
import { describeMaster } from "./describe-master.ts";
import { describeSentinels } from "./describe-sentinels.ts";
import { lookUp, refusalOf } from "./look-up.ts";
import type { SentinelApiView } from "./sentinel-api-view.ts";
import { sentinelHelp } from "./sentinel-help.ts";

/**
 * Answers `SENTINEL …`, on the Sentinel port and on the data port alike. Pure.
 *
 * There is one master, the proxy itself, without replicas. The only other Sentinel is the proxy once more, by the address of all proxies:
 * a client that learnt the real ones would go past the proxy at the next failover, and Redisson doesn't start without any. The numbers of both
 * are the real ones, since redis-py checks them.
 *
 * @param args the whole command, `SENTINEL` included.
 */
export function answerSentinel(args: readonly Buffer[], view: SentinelApiView): ReplyValue {
  const found = lookUp(args);
  if ("refusal" in found) return error(found.refusal);
  if (found.rule.refused) return error(refusalOf(found.label));
  const known = args[2]?.equals(Buffer.from(view.masterName)) ?? false;
  const ofMaster = (answer: ReplyValue): ReplyValue =>
    known ? answer : error("ERR No such master with that name");
  switch (found.subcommand) {
    case "get-master-addr-by-name":
      return known ? [view.announced.host, String(view.announced.port)] : { kind: "nullArray" };
    case "master":
      return ofMaster(describeMaster(view));
    case "masters":
      return [describeMaster(view)];
    case "replicas":
    case "slaves":
      return ofMaster([]);
    case "sentinels":
      return ofMaster(describeSentinels(view));
    case "ckquorum":
      return ofMaster(checkQuorum(view));
    case "myid":
      return view.myId;
    case "pending-scripts":
      return [];
    case "help":
      return sentinelHelp.map(status);
    default:
      return error(refusalOf(found.label));
  }
}

/** What a Sentinel says of the real Sentinels that the proxy reaches. */
function checkQuorum({ reachableSentinels: usable, quorum, sentinelCount }: SentinelApiView): ReplyValue {
  const problems = [
    ...(usable < quorum
      ? ["Not enough available Sentinels to reach the specified quorum for this master"]
      : []),
    ...(usable < majorityOf(sentinelCount)
      ? ["Not enough available Sentinels to reach the majority and authorize a failover"]
      : []),
  ];
  if (problems.length > 0) return error(`NOQUORUM ${usable} usable Sentinels. ${problems.join(". ")}`);
  return status(`OK ${usable} usable Sentinels. Quorum and failover authorization can be reached`);
}
