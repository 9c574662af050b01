import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * The absolute path of a program in PATH.
 *
 * @param cure what to do when it isn't there.
 * @throws {Error} that names the program and where it was looked for.
 */
export function findProgram(
  name: string,
  path: string | undefined,
  cure = "install Redis (apt-get install redis-server)",
): string {
  for (const directory of (path ?? "").split(delimiter)) {
    const candidate = join(directory, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not here: the next directory.
    }
  }
  throw new Error(`the program ${name} is not in PATH (${path}): ${cure}`);
}
