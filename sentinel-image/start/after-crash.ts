import { messageOf } from "../../runtime/log.ts";
import { arrangeSuccession, type SuccessionOptions } from "../failover/succession.ts";
import {
  backsOff,
  type CrashNotes,
  type CrashOutcome,
  crashPauseMs,
  noteCrash,
  noteOutcome,
  readCrashNotes,
  writeCrashNotes,
} from "./crash-notes.ts";

export interface AfterCrashOptions extends Omit<SuccessionOptions, "attached"> {
  /** Where crashes are noted. */
  readonly file: string;
  /** The replicas that were connected when this instance was looked at last; undefined: it wasn't the agreed master. */
  readonly attached: readonly SuccessionOptions["self"][] | undefined;
}

/**
 * What is done when this instance's server has ended without having been told to: it is noted, and a master is replaced at once, unless it crashed
 * just before, too. Returns within about a second.
 */
export async function afterCrash({ file, attached, ...options }: AfterCrashOptions): Promise<void> {
  const { log } = options;
  const before = readCrashNotes(file);
  const nowMs = Date.now();
  const notes = noteCrash(before, nowMs);
  // Without a note nothing would bound how often the role is moved.
  if (!keep(notes) || attached === undefined) return;
  keep(noteOutcome(notes, await decide()));

  async function decide(): Promise<CrashOutcome> {
    if (!backsOff(before, nowMs)) {
      return (await arrangeSuccession({ ...options, attached: attached ?? [] })) ? "asked" : "left";
    }
    log.error(
      { crashes: notes.crashes, withinMs: crashPauseMs },
      "redis-server has crashed again too soon: the failover is left to the Sentinels",
    );
    return "backed-off";
  }

  function keep(changed: CrashNotes): boolean {
    try {
      writeCrashNotes(file, changed);
      return true;
    } catch (error) {
      log.warn(
        { problem: messageOf(error) },
        "could not note a crash: the failover is left to the Sentinels",
      );
      return false;
    }
  }
}
