import { aborted } from "./aborted.ts";
import { drain } from "./drain.ts";
import type { Fault } from "./fault.ts";
import { freeze } from "./freeze.ts";
import { kill } from "./kill.ts";
import { oneSentinel } from "./one-sentinel.ts";
import { planned } from "./planned.ts";
import { returning } from "./return.ts";
import { terminate } from "./terminate.ts";
import { twoSentinels } from "./two-sentinels.ts";

/** Every fault, by the name that the command takes. */
export const allFaults: readonly Fault[] = [
  kill,
  freeze,
  planned,
  terminate,
  returning,
  oneSentinel,
  twoSentinels,
  aborted,
  drain,
];
