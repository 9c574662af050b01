import { type Rejection, rejectionOf } from "./rejection.ts";

/**
 * What Redis itself says before it executes a write, from 7.0 on: a command's (server.c) and a script's (script.c), where it stands in front of
 * where in the script it happened. Inside of a script it says so only as long as nothing was written.
 */
const words: Readonly<Record<Rejection, readonly string[]>> = {
  READONLY: [
    "You can't write against a read only replica.",
    "You can not run script with write flag on readonly replica.",
  ],
  MASTERDOWN: [
    "Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "Link with MASTER is down, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not set",
  ],
  LOADING: ["Redis is loading the dataset in memory"],
  NOREPLICAS: ["Not enough good replicas to write."],
  MISCONF: [
    "Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "Redis is configured to persist data to AOF, but it's currently unable to persist to disk.",
    "Errors writing to the AOF file:",
  ],
};

/** What is longer than this isn't one of them, bytes. */
const longest = 1024;

/** Whether a refusal has the words of Redis, and not only their first one. A program can say them, too. */
export function inServersWords(reply: Buffer): Rejection | undefined {
  const kind = rejectionOf(reply);
  if (kind === undefined || reply.length > longest) return undefined;
  const text = reply.toString("latin1");
  return words[kind].some((said) => text.startsWith(said, `-${kind} `.length)) ? kind : undefined;
}

/** Whether a Redis is in the state in which it says so. @param info its `INFO`. */
export function isProvenBy(rejection: Rejection, info: string): boolean {
  const is = (field: string, value: string): boolean => new RegExp(`^${field}:${value}\\r?$`, "m").test(info);
  switch (rejection) {
    case "READONLY":
    case "MASTERDOWN":
      return is("role", "slave");
    case "LOADING":
      return is("loading", "1");
    case "NOREPLICAS":
      return is("role", "slave") || is("min_slaves_good_slaves", "0");
    case "MISCONF":
      return is("aof_last_write_status", "err") || is("rdb_last_bgsave_status", "err");
  }
}
