import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { replaceFile } from "../../../runtime/replace-file.ts";
import { UserError } from "../../../runtime/user-error.ts";
import {
  type BackupAnswer,
  backupAnswerFile,
  backupOrderFile,
} from "../../../sentinel-image/backup/backup-orders.ts";
import type { Kubectl } from "../kubectl.ts";

/** A supervisor looks for orders every second, unless it takes a backup already. */
const takenWithinMs = 15_000;
/** The supervisor itself gives a backup up after 6 h. */
const longestMs = 7 * 3600_000;
/** It writes twice a second while it copies; a verification of big data says nothing for a while. */
const silenceMs = 30 * 60_000;

type Told = (answer: BackupAnswer) => void;

/** Orders a backup from an instance of this machine. @returns its last answer. @throws {UserError} when it doesn't answer. */
export async function orderBackupLocally(
  name: string,
  stateDirectory: string,
  id: string,
  told: Told,
): Promise<BackupAnswer> {
  const [order, answers] = [backupOrderFile, backupAnswerFile].map((file) =>
    join(stateDirectory, "ha", file),
  ) as [string, string];
  replaceFile(order, orderText(id));
  let seen = "";
  let seenAtMs = performance.now();
  for (;;) {
    const text = existsSync(answers) ? readFileSync(answers, "utf8") : "";
    if (text !== seen && text.includes(id)) {
      seen = text;
      seenAtMs = performance.now();
      const answer = JSON.parse(text) as BackupAnswer;
      told(answer);
      if (isLast(answer)) return answer;
    }
    const forMs = performance.now() - seenAtMs;
    if (seen === "" && forMs > takenWithinMs) {
      rmSync(order, { force: true });
      throw untaken(name);
    }
    if (forMs > silenceMs) throw silent(name);
    await delay(100);
  }
}

/** The same in a pod: a shell there writes the order, and what is answered comes line by line. */
export async function orderBackupInPod(
  kubectl: Kubectl,
  name: string,
  pod: string,
  id: string,
  told: Told,
): Promise<BackupAnswer> {
  let rest = "";
  let last: BackupAnswer | undefined;
  const take = (text: string): void => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.filter((text) => text.includes(id))) {
      last = JSON.parse(line) as BackupAnswer;
      told(last);
    }
  };
  await kubectl.read(["exec", `pod/${pod}`, "--", "sh", "-c", orderingScript(id)], take, longestMs);
  if (last === undefined) throw untaken(name);
  if (!isLast(last)) throw silent(name);
  return last;
}

function isLast({ phase }: BackupAnswer): boolean {
  return phase === "done" || phase === "failed";
}

function orderText(id: string): string {
  return `{"id":"${id}"}`;
}

function orderingScript(id: string): string {
  return `
cd "\${REDIS_DATA_DIR:-/data}/ha" || exit 1
umask 077
printf '%s' '${orderText(id)}' > ${backupOrderFile}.tmp && mv ${backupOrderFile}.tmp ${backupOrderFile}
seen= quiet=0
while [ $quiet -lt ${silenceMs / 500} ]; do
  text=$(grep -s '${id}' ${backupAnswerFile} || true)
  if [ "$text" != "$seen" ]; then seen=$text quiet=0; printf '%s\\n' "$text"; fi
  case $text in *'"phase":"done"'*|*'"phase":"failed"'*) exit 0 ;; esac
  if [ -z "$seen" ] && [ $quiet -ge ${takenWithinMs / 500} ]; then rm -f ${backupOrderFile}; exit 0; fi
  quiet=$((quiet + 1))
  sleep 0.5
done
`;
}

function untaken(name: string): UserError {
  return new UserError(
    `${name} didn't take the order within ${takenWithinMs / 1000} s: it makes a backup already, has no destination (backup:destination), or its supervisor is older than this command. The order was taken back.`,
  );
}

function silent(name: string): UserError {
  return new UserError(
    `${name} began a backup and says nothing more: its log says why, and redis-ha backup list what there is.`,
  );
}
