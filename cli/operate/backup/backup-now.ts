import { randomUUID } from "node:crypto";
import { Command } from "commander";
import { UserError } from "../../../runtime/user-error.ts";
import type { BackupAnswer } from "../../../sentinel-image/backup/backup-orders.ts";
import { showProgress } from "../../progress.ts";
import type { Observation, RedisSeen } from "../observation.ts";
import { openTarget, type Target, type TargetOptions, withTargetOptions } from "../target.ts";

/** `redis-ha backup now`: a backup at once, whatever the schedule says. */
export function backupNowCommand(): Command {
  return withTargetOptions(new Command("now"))
    .description(
      "Make a backup now, from a replica in sync, and verify it where its pod has the memory. Exit code 1 unless it was made and isn't bad.",
    )
    .action(async (options: TargetOptions & { readonly json?: true }) => {
      const answer = await backUpNow(await openTarget(options), (text) => showProgress(text));
      process.stdout.write(`${options.json ? JSON.stringify(answer, null, 2) : describe(answer)}\n`);
    });
}

/** @throws {UserError} with the reason when no backup was made, or it is no good. */
export async function backUpNow(target: Target, onProgress: (text: string) => void): Promise<BackupAnswer> {
  const instance = chooseInstance(await target.observe({ logs: false }));
  let phase = "";
  let shownMs = Number.NEGATIVE_INFINITY;
  const answer = await target.orderBackup(instance.name, randomUUID(), (told) => {
    const now = performance.now();
    if (told.phase === phase && now - shownMs < 2000) return;
    phase = told.phase;
    shownMs = now;
    if (told.phase === "taking") onProgress(`${instance.name} copies its data: ${inMiB(told.bytes)}`);
    if (told.phase === "verifying") onProgress(`loading ${told.id} to see whether it is whole`);
  });
  if (answer.phase === "failed")
    throw new UserError(`No backup was made: ${answer.detail}. Earlier ones are as they were.`);
  return answer;
}

/** The first replica in sync. Pure. @throws {UserError} when there is none: a master's clients would feel it. */
export function chooseInstance({ redis }: Observation): RedisSeen {
  const found = redis.find(({ info }) => info.role === "slave" && info.master_link_status === "up");
  if (found === undefined)
    throw new UserError(
      "No replica is in sync, and a backup is only taken from one: redis-ha doctor says why.",
    );
  return found;
}

function describe({ id, bytes, verified, detail }: BackupAnswer): string {
  const judged = verified === true ? `verified (${detail})` : detail;
  return `Backup ${id}: ${inMiB(bytes)} of data, ${judged}.`;
}

function inMiB(bytes: number): string {
  return `${Math.round((bytes / 2 ** 20) * 10) / 10} MiB`;
}
