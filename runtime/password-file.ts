import { readFileSync } from "node:fs";

/**
 * The password in a file, without the line end. Undefined when no file is configured: no authentication.
 *
 * @throws {Error} when the file can't be read or isn't one line. Going on without a password would open everything.
 */
export function readPassword(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const password = readFileSync(path, "utf8").replace(/[\r\n]+$/, "");
  const lines = password.split(/[\r\n]+/).length;
  if (lines > 1)
    throw new Error(`the password file ${path} has ${lines} lines: write the password alone into it`);
  if (password === "") throw new Error(`the password file ${path} is empty: write the password into it`);
  return password;
}
