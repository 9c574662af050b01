import { aborted } from "./aborted.ts";
import { diskFull, proxyKilled, slowCommand } from "./blocked.ts";
import { calm } from "./calm.ts";
import { containerKilled } from "./container-killed.ts";
import { crashLoop } from "./crash-loop.ts";
import { drain } from "./drain.ts";
import type { Fault } from "./fault.ts";
import { freeze } from "./freeze.ts";
import { isolated, isolatedByReset, isolatedWithProxy, oneWay } from "./isolated.ts";
import { isolatedPair, isolatedPairWithMajority } from "./isolated-pair.ts";
import { kill } from "./kill.ts";
import { oneSentinel } from "./one-sentinel.ts";
import { delayed, loss, noReplication, replicasUnseen, sentinelCut } from "./partial-cuts.ts";
import { planned } from "./planned.ts";
import { everything, firstSync, mastersVolume, quickRestart, ring, wiped } from "./restarts.ts";
import { returning } from "./return.ts";
import { scale } from "./scale.ts";
import {
  leaderAfterElection,
  leaderAfterPromotion,
  sentinelConf,
  sentinelVolume,
  sentinelWrong,
} from "./sentinels.ts";
import { terminate } from "./terminate.ts";
import { twoSentinels } from "./two-sentinels.ts";

/** Every fault, by the name that the command takes. */
export const allFaults: readonly Fault[] = [
  kill,
  containerKilled,
  crashLoop,
  freeze,
  planned,
  terminate,
  returning,
  oneSentinel,
  twoSentinels,
  aborted,
  drain,
  isolated,
  isolatedByReset,
  isolatedWithProxy,
  isolatedPair,
  isolatedPairWithMajority,
  oneWay,
  noReplication,
  replicasUnseen,
  sentinelCut,
  loss,
  delayed,
  quickRestart,
  wiped,
  ring,
  everything,
  mastersVolume,
  firstSync,
  leaderAfterElection,
  leaderAfterPromotion,
  sentinelVolume,
  sentinelConf,
  sentinelWrong,
  slowCommand,
  diskFull,
  proxyKilled,
  scale,
  calm,
];
