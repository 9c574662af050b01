import type { ControlConnection } from "../../quorum/control-connection.ts";
import { readCommandInfo } from "../commands/classify-command.ts";
import { CommandTable } from "../commands/command-table.ts";
import type { ServerProfile } from "../session/session-host.ts";

/**
 * Asks a Redis for its commands, version and number of databases.
 *
 * @throws {Error} when it can't be asked.
 */
export async function loadProfile(connection: ControlConnection): Promise<ServerProfile> {
  const table = new CommandTable(readCommandInfo(await connection.call("COMMAND")));
  const info = String(await connection.call("INFO", "server"));
  return {
    table,
    version: /^redis_version:(\S+)/m.exec(info)?.[1] ?? "7.0.0",
    databases: await connection.call("CONFIG", "GET", "databases").then(readDatabases, () => 16),
  };
}

function readDatabases(reply: unknown): number {
  const count = Array.isArray(reply) ? Number(reply[1]) : Number.NaN;
  return Number.isSafeInteger(count) && count > 0 ? count : 16;
}
