import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../runtime/user-error.ts";

/** What a local topology was started with: `status` and `down` need no options. */
export interface LocalRecord {
  readonly basePort: number;
  /** The address of all parts; unset: 127.0.0.1. */
  readonly host?: string;
  /** Stack configuration, `namespace:key` → text. */
  readonly configuration: Readonly<Record<string, string>>;
}

const recordFile = "local.json";

/**
 * Prepares the directory of a local topology: makes it, or finds the data of an earlier run in it.
 *
 * @throws {UserError} when the directory holds something else, or can't be written. Nothing is changed then.
 */
export function prepareDirectory(directory: string, record: LocalRecord, fresh: boolean): void {
  try {
    if (isForeign(directory)) {
      throw new UserError(
        `The directory ${directory} holds other files than a local redis-ha: choose another one with --dir. Nothing was changed.`,
      );
    }
    if (fresh) rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, recordFile), JSON.stringify(record, null, 2));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw new UserError(
      `The directory ${directory} can't be used (${code}): choose one that you can write with --dir.`,
    );
  }
}

/** Keys and passwords of others may be there before the first start. */
function isForeign(directory: string): boolean {
  if (!existsSync(directory) || readRecord(directory) !== undefined) return false;
  return readdirSync(directory).some((name) => name !== "credentials");
}

/** What was started in a directory; undefined when nothing ever was, or the record is damaged. */
export function readRecord(directory: string): LocalRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(directory, recordFile), "utf8")) as Partial<LocalRecord>;
    const { basePort, host, configuration } = record;
    return typeof basePort === "number" && typeof configuration === "object"
      ? { basePort, configuration, ...(host === undefined ? {} : { host }) }
      : undefined;
  } catch {
    return undefined;
  }
}
