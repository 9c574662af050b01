import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import { cacheDirectory } from "../../workshop/cluster/places.ts";

/** How to start a program, or why that is not possible on this machine. */
export type Prepared =
  | { readonly command: string; readonly args: readonly string[]; readonly missing?: never }
  | { readonly missing: string };

/** Something that this machine lacks: no fault of the program. */
export class Missing extends Error {}

const buildWithinMs = 240_000;

/** What `prepare` gives, or what this machine lacks for it. */
export async function orMissing<T>(prepare: () => Promise<T> | T): Promise<T | { readonly missing: string }> {
  try {
    return await prepare();
  } catch (error) {
    if (error instanceof Missing) return { missing: error.message };
    throw error;
  }
}

/**
 * A directory that `build` has filled, outside of the checkout; made anew when anything of `key` is another one. Built aside
 * and renamed: an interrupted build leaves no half of it.
 */
export async function cached(
  name: string,
  key: readonly (string | Buffer)[],
  build: (target: string) => Promise<unknown>,
): Promise<string> {
  const hash = createHash("sha256");
  for (const part of key) hash.update(createHash("sha256").update(part).digest());
  const parent = join(cacheDirectory, "samples");
  const target = join(parent, `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(target)) return target;
  mkdirSync(parent, { recursive: true });
  const temporary = mkdtempSync(join(parent, ".build-"));
  try {
    await build(temporary);
    renameSync(temporary, target);
  } catch (error) {
    // Another run may have finished the same build meanwhile: its result is as good.
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return target;
}

/** What the tool says of itself. @throws {Missing} when it isn't there. */
export async function toolVersion(tool: string, args: readonly string[], needed: string): Promise<string> {
  const { failed, all } = await execa(tool, args, {
    all: true,
    reject: false,
    stdin: "ignore",
    timeout: 30_000,
  });
  if (failed) throw new Missing(`${tool} does not run: it needs ${needed} in PATH`);
  return all;
}

/** @throws {Missing} when the registry can't be reached; {Error} with the end of the output when it failed otherwise. */
export async function run(command: string, args: readonly string[], purpose: string): Promise<void> {
  const { failed, all, shortMessage } = await execa(command, args, {
    all: true,
    reject: false,
    stdin: "ignore",
    timeout: buildWithinMs,
    env: { GOFLAGS: "-buildvcs=false", CGO_ENABLED: "0" },
  });
  if (!failed) return;
  const reason = unreachable.exec(all)?.[0];
  if (reason !== undefined) {
    const shortened = stripVTControlCharacters(reason).trim().slice(0, 200);
    throw new Missing(`${basename(command)} can't ${purpose}: ${shortened}`);
  }
  throw new Error(`${shortMessage}\n${all.split("\n").slice(-30).join("\n")}`);
}

/** What the tools say when a registry can't be reached. A wrong version or a wrong hash is none of these. */
const unreachable =
  /.*(name resolution|Name or service not known|no such host|Unknown host|UnknownHostException|Network is unreachable|No route to host|Connection refused|Connection timed out|Connect timed out|i\/o timeout|ensurepip is not available|No module named pip).*/i;
