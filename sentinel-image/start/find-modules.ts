import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../../runtime/engine.ts";
import { bundledModules, moduleDirectories } from "../../runtime/module-list.ts";

/**
 * The files of `redis:modules`, in the order in which they are loaded: those of the image by name, which all instances share.
 *
 * @throws {Error} when the image has none: commands that the applications count on would be unknown.
 */
export function findModules(
  wanted: readonly string[],
  engine: Engine,
  directory = moduleDirectories[engine],
): string[] {
  const files = wanted.flatMap((item) => (item === bundledModules ? modulesIn(directory) : [item]));
  return [...new Set(files)];
}

function modulesIn(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    names = [];
  }
  const files = names.filter((name) => name.endsWith(".so")).toSorted();
  if (files.length > 0) return files.map((name) => join(directory, name));
  throw new Error(
    `redis:modules asks for the image's own modules, but ${directory} has none: use a base image that has them, or name the files`,
  );
}
