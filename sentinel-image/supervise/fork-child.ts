import { readdirSync, readFileSync } from "node:fs";

/** The processes that redis-server has forked: at most one, unless one is just ending. @param server its process id. */
export function findForks(server: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    return parentOf(name) === server ? [Number(name)] : [];
  });
}

/**
 * Ends a fork of redis-server without an error: SIGUSR1 is what redis-server itself sends one that it no longer needs. It then
 * removes the unfinished file, and status and data stay as they were (`checkChildrenDone` of server.c,
 * `backgroundRewriteDoneHandler` of aof.c). A replica to which it was sending has to ask again.
 *
 * @returns whether there was one.
 */
export function endForks(server: number): boolean {
  const forks = findForks(server);
  for (const fork of forks) {
    try {
      process.kill(fork, "SIGUSR1");
    } catch (error) {
      // It has just ended by itself.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
  return forks.length > 0;
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // pid (name) state parent …; a name may hold blanks and parentheses.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}
