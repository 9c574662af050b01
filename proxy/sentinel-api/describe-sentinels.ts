import { createHash } from "node:crypto";
import { formatAddress } from "../../runtime/address.ts";
import type { ReplyValue } from "../resp/encode-reply.ts";
import type { SentinelApiView } from "./sentinel-api-view.ts";

/** What a Sentinel says of another one that it has heard a moment ago, ms. */
const heardMs = 100;

/**
 * The list of `SENTINEL SENTINELS`, with the names and the order of a real Sentinel's fields: the proxy itself, unless there is only one
 * Sentinel in the whole. Its ID is the same at every proxy and never the asked one's, whose address a client knows already.
 */
export function describeSentinels(view: SentinelApiView): ReplyValue[] {
  if (view.sentinelCount < 2) return [];
  const { host, port } = view.announcedSentinel;
  const id = createHash("sha1")
    .update(`sentinel ${formatAddress({ host, port })}`)
    .digest("hex");
  const fields: [string, unknown][] = [
    ["name", id],
    ["ip", host],
    ["port", port],
    ["runid", id],
    ["flags", "sentinel"],
    ["link-pending-commands", 0],
    ["link-refcount", 1],
    ["last-ping-sent", 0],
    ["last-ok-ping-reply", heardMs],
    ["last-ping-reply", heardMs],
    ["down-after-milliseconds", view.downAfterMs],
    ["last-hello-message", heardMs],
    ["voted-leader", "?"],
    ["voted-leader-epoch", 0],
  ];
  return [new Map(fields.map(([name, value]) => [name, String(value)]))];
}
