import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join, relative } from "node:path";

/** A rule of an ignore file: later rules win. */
interface IgnoreRule {
  readonly pattern: RegExp;
  readonly include: boolean;
}

/** Reads the rules of a .dockerignore. `*` stays within a folder, `**` doesn't; a rule covers what lies below. */
export function parseIgnoreFile(text: string): IgnoreRule[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const include = line.startsWith("!");
      const glob = line.replace(/^!/, "").replace(/^\/|\/$/g, "");
      const source = glob
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replace(/\*\*\/?/g, "\0")
        .replaceAll("*", "[^/]*")
        .replaceAll("?", "[^/]")
        .replaceAll("\0", ".*");
      return { pattern: new RegExp(`^${source}(/.*)?$`), include };
    });
}

/** Whether a file of the context is left out. */
export function isIgnored(path: string, rules: readonly IgnoreRule[]): boolean {
  return rules.findLast(({ pattern }) => pattern.test(path))?.include === false;
}

/**
 * Hash of what a build can see: names, modes and contents of the context's files without the ignored ones. Times don't
 * count. The ignore file is `<Dockerfile>.dockerignore` or else `.dockerignore`.
 */
export function hashContext(context: string, dockerfile: string): string {
  const ignoreFile = [`${dockerfile}.dockerignore`, join(context, ".dockerignore")].find((file) =>
    existsSync(file),
  );
  const rules = ignoreFile === undefined ? [] : parseIgnoreFile(readFileSync(ignoreFile, "utf8"));
  const hash = createHash("sha256");
  const add = (name: string, file: string): void => {
    const { mode } = statSync(file);
    hash
      .update(`${name}\0${mode.toString(8)}\0`)
      .update(readFileSync(file))
      .update("\0");
  };
  add("Dockerfile", dockerfile);
  for (const entry of readdirSync(context, { recursive: true, withFileTypes: true }).toSorted((a, b) =>
    join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1,
  )) {
    const file = join(entry.parentPath, entry.name);
    const name = relative(context, file);
    if (isIgnored(name, rules)) continue;
    if (entry.isSymbolicLink()) hash.update(`${name}\0${readlinkSync(file)}\0`);
    else if (entry.isFile()) add(name, file);
  }
  return hash.digest("hex");
}
