import { type Level, levels, type ParsedLine, parseLogLine } from "./log-line.ts";
import type { PartLog } from "./part-log.ts";

/** One line of all logs together. */
export interface LogEntry extends ParsedLine {
  readonly part: string;
}

/** Which lines are left out. */
export interface LineFilter {
  readonly least?: Level | undefined;
  /** Only lines from this moment on, ms since 1970. */
  readonly sinceMs?: number | undefined;
}

/** A line with a time, and those behind it that have none: they belong to it, and go where it goes. */
interface Block {
  readonly atMs: number | undefined;
  readonly level: Level | undefined;
  readonly entries: LogEntry[];
}

/** All logs in one, by time. What one part wrote in the same millisecond keeps its order. Pure. */
export function mergeLogs(
  logs: readonly Pick<PartLog, "part" | "lines" | "zone">[],
  filter: LineFilter = {},
): LogEntry[] {
  return logs
    .flatMap(blocksOf)
    .filter((block) => isWanted(block, filter))
    .toSorted((a, b) => (a.atMs ?? 0) - (b.atMs ?? 0))
    .flatMap(({ entries }) => entries);
}

function blocksOf({ part, lines, zone }: Pick<PartLog, "part" | "lines" | "zone">): Block[] {
  const blocks: Block[] = [];
  let leading: LogEntry[] = [];
  for (const line of lines) {
    const entry = { part, ...parseLogLine(line, zone) };
    const last = blocks.at(-1);
    if (entry.atMs !== undefined) {
      blocks.push({ atMs: entry.atMs, level: entry.level, entries: [...leading, entry] });
      leading = [];
    } else if (last === undefined) leading.push(entry);
    else last.entries.push(entry);
  }
  // Nothing in this log has a time.
  return leading.length === 0 ? blocks : [{ atMs: undefined, level: undefined, entries: leading }];
}

/** What says no level or no time is shown: it may be what somebody looks for. */
function isWanted({ atMs, level }: Block, { least, sinceMs }: LineFilter): boolean {
  if (sinceMs !== undefined && atMs !== undefined && atMs < sinceMs) return false;
  return least === undefined || level === undefined || levels.indexOf(level) >= levels.indexOf(least);
}

/** For a terminal: `time  part  level  message`, one line. @param width of the parts' names. */
export function describeEntry({ atMs, part, level, message }: LogEntry, width: number): string {
  const time = atMs === undefined ? "" : new Date(atMs).toISOString();
  return `${time.padEnd(24)}  ${part.padEnd(width)}  ${(level ?? "").padEnd(5)}  ${printable(message)}`;
}

/** A client chooses its name, and the name gets into a log: it must not give orders to a terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) =>
    character === "\t" ? " " : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
