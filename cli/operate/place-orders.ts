import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../runtime/replace-file.ts";
import { restartFile } from "../../sentinel-image/start/standing-orders.ts";

/** What is to lie on an instance's volume, in the folder `ha`, and what not. */
export interface StandingOrders {
  /** Content by file: one line. */
  readonly write?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
  /** Its supervisor ends then, as at a stop, and starts again. */
  readonly restart: boolean;
}

/** Does it on this machine, all but the restart. */
export function placeLocally(stateDirectory: string, { write = {}, remove = [] }: StandingOrders): void {
  const directory = join(stateDirectory, "ha");
  mkdirSync(directory, { recursive: true });
  for (const file of remove) rmSync(join(directory, file), { force: true });
  for (const [file, line] of Object.entries(write)) replaceFile(join(directory, file), `${line}\n`);
}

/** The script that does it in a pod. The restart comes last, when all else is in place. */
export function placingScript({ write = {}, remove = [], restart }: StandingOrders): string {
  const lines = Object.entries({ ...write, ...(restart ? { [restartFile]: "" } : {}) }).map(
    ([file, line]) => `cat > ${file}.tmp <<'@ORDER'\n${line}\n@ORDER\nmv ${file}.tmp ${file}`,
  );
  return `
set -e
cd "\${REDIS_DATA_DIR:-/data}/ha"
umask 077
${remove.map((file) => `rm -f ${file}`).join("\n")}
${lines.join("\n")}
`;
}
