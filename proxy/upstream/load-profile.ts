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
  const field = (name: string): string | undefined => new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1];
  const version = field("redis_version") ?? "7.0.0";
  const [server, own] = [field("server_name"), field("valkey_version")];
  return {
    table,
    version,
    // A Valkey that is told to pass for a Redis names itself one.
    greeting:
      server === "valkey" && own !== undefined ? { server, version: own } : { server: "redis", version },
    databases: await countDatabases(connection),
  };
}

const usualCount = 16;
/** Enough for everybody, and an end when a server accepts whatever it is asked. */
const mostDatabases = 2 ** 16;

/**
 * How many databases there are: found by selecting them, since `CONFIG GET` would tell passwords as well, so that the proxy's
 * user may not use it.
 */
async function countDatabases(connection: ControlConnection): Promise<number> {
  const exists = (db: number): Promise<boolean> =>
    connection.call("SELECT", db).then(
      () => true,
      (error: Error) => {
        if (/out of range/.test(error.message)) return false;
        throw error;
      },
    );
  // One that refuses SELECT has database 0 alone to offer.
  const selects = await exists(0).catch((error: Error) => {
    // No answer at all says nothing.
    if (error.cause instanceof Error && error.cause.name === "ReplyError") return false;
    throw error;
  });
  if (!selects) return 1;
  let [from, to] = [1, usualCount];
  if (await exists(usualCount - 1)) {
    from = usualCount;
    to = usualCount;
    while (to < mostDatabases && (await exists(to))) {
      from = to + 1;
      to *= 2;
    }
  }
  // From `from` on nothing is known, database `to` does not exist.
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (await exists(middle)) from = middle + 1;
    else to = middle;
  }
  return from;
}
