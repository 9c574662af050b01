import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../runtime/replace-file.ts";

// The way of every order: a file on the volume, decision 052.

/** The order for a backup, a file in the folder `ha` of the instance that is to take it. */
export const backupOrderFile = "backup.order";

/** What comes of it, in the same folder; written anew as it goes on. */
export const backupAnswerFile = "backup.answer";

export interface BackupAnswer {
  /** The order's. */
  readonly order: string;
  readonly phase: "taking" | "verifying" | "done" | "failed";
  /** What was read of the server so far. */
  readonly bytes: number;
  /** Of the backup; empty: there is none yet. */
  readonly id: string;
  /** What has failed, or what the verification found. */
  readonly detail: string;
  /** Whether it was verified, once it is done; null: it couldn't be tried here. */
  readonly verified: boolean | null;
}

/** The order that lies there, taken away; undefined: none does. */
export function takeBackupOrder(directory: string): string | undefined {
  const file = join(directory, backupOrderFile);
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, "utf8");
  rmSync(file, { force: true });
  return /"id":"([0-9a-f-]{8,64})"/.exec(text)?.[1];
}

/** Tells whoever waits for an order. */
export function answerBackupOrder(directory: string, answer: BackupAnswer): void {
  replaceFile(join(directory, backupAnswerFile), JSON.stringify(answer));
}
