import { setTimeout as delay } from "node:timers/promises";
import { monotonicMs } from "../monotonic-clock.ts";
import { type Fault, unnoticed } from "./fault.ts";

/** Long enough to be a check of nothing but time, short enough to say when in an hour something went wrong. */
const calmMs = 30_000;

export const calm: Fault = {
  name: "calm",
  summary:
    "nothing happens for 30 s: no failover may come, and nobody has to notice anything; not among random ones",
  failover: false,
  onlyByName: true,
  // What a busy machine does to one write.
  gapMs: 500,
  allows: unnoticed,
  async inject() {
    const atMs = monotonicMs();
    await delay(calmMs);
    return atMs;
  },
};
