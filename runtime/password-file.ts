import { readFileSync } from "node:fs";

/**
 * The password in a file, without the line end. Undefined when no file is configured: no authentication.
 *
 * @throws {Error} when the file can't be read or is empty. Going on without a password would open everything.
 */
export function readPassword(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const password = readFileSync(path, "utf8").trimEnd();
  if (password === "") throw new Error(`the password file ${path} is empty: write the password into it`);
  return password;
}
