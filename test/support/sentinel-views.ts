import type { SentinelView } from "../../quorum/agreement.ts";
import { type Address, parseAddress } from "../../runtime/address.ts";

/** `instance(2)` is the second of the tests' instances. */
export function instance(index: number): Address {
  return parseAddress(`redis-${index}:6379`);
}

/** What Sentinel `sentinel` says: it names instance `master` at `configEpoch`. */
export function view(
  sentinel: number,
  master: number,
  configEpoch: number,
  flags: readonly string[] = ["master"],
): SentinelView {
  return {
    sentinel: parseAddress(`sentinel-${sentinel}:26379`),
    master: instance(master),
    configEpoch,
    flags,
    replicas: 2,
    otherSentinels: 2,
  };
}
