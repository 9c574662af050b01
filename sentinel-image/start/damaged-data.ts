import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Engine, findEngineProgram } from "../../runtime/engine.ts";

const appendOnlyDirectory = "appendonlydir";

/**
 * Whether the append-only files of a data directory are damaged, as the engine's own `check-aof` says. It reads all of them, so it is
 * asked only after a server could not load them. Files that end in the middle of a command aren't damaged for redis-server,
 * which cuts them off.
 */
export function isDamaged(dataDirectory: string, engine: Engine, path: string | undefined): boolean {
  const directory = join(dataDirectory, appendOnlyDirectory);
  if (!existsSync(directory)) return false;
  const manifest = readdirSync(directory).find((file) => file.endsWith(".manifest"));
  if (manifest === undefined) return true;
  const { status } = spawnSync(findEngineProgram(engine, "check-aof", path), [join(directory, manifest)], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  return status !== 0;
}

/** Puts damaged data aside as `*.damaged`, for a person to look at; those of an earlier time are removed. */
export function putAside(dataDirectory: string): void {
  for (const name of [appendOnlyDirectory, "dump.rdb"]) {
    const file = join(dataDirectory, name);
    if (!existsSync(file)) continue;
    rmSync(`${file}.damaged`, { recursive: true, force: true });
    renameSync(file, `${file}.damaged`);
  }
}
