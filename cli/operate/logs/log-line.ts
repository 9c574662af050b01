/** How much a line matters, from least to most. */
export const levels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type Level = (typeof levels)[number];

/** One line of a log, taken apart. */
export interface ParsedLine {
  /** When it was written, ms since 1970; undefined: it doesn't say. */
  readonly atMs: number | undefined;
  readonly level: Level | undefined;
  readonly message: string;
}

/** `.` debug, `-` verbose, `*` notice, `#` warning: redis-server's marks. */
const redisLevels: Readonly<Record<string, Level>> = { ".": "trace", "-": "debug", "*": "info", "#": "warn" };

/** Of every line of the product's programs; the part's name says the program. */
const known = new Set(["time", "level", "msg", "program", "pid", "hostname"]);

/**
 * Takes a line apart that a program of the product, a redis-server or a Sentinel wrote. Whatever else it is, it is a message without a time.
 *
 * @param zone of redis-server's times, such as ` UTC`; empty: this process' own.
 */
export function parseLogLine(line: string, zone: string): ParsedLine {
  const parsed = line.startsWith("{") ? parseJson(line) : parseRedis(line, zone);
  return parsed ?? { atMs: undefined, level: undefined, message: line };
}

function parseRedis(line: string, zone: string): ParsedLine | undefined {
  // `4711:X 30 Nov 2026 15:59:51.713 # +odown master redis-ha-local 10.77.2.1 27101 #quorum 2/2`
  const match = /^\d+:[A-Z] (\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3}) ([.*#-]) (.*)$/.exec(line);
  if (match === null) return undefined;
  const [, time = "", mark = "", message = ""] = match;
  const atMs = Date.parse(`${time}${zone}`);
  return Number.isNaN(atMs) ? undefined : { atMs, level: redisLevels[mark], message };
}

function parseJson(line: string): ParsedLine | undefined {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    // It was cut off, or only looks like it.
    return undefined;
  }
  const { time, level, msg } = fields;
  const atMs = typeof time === "number" ? time : typeof time === "string" ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(atMs)) return undefined;
  const others = Object.entries(fields)
    .filter(([name]) => !known.has(name))
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return {
    atMs,
    level: typeof level === "number" ? levels[Math.floor(level / 10) - 1] : undefined,
    message: [...(msg === undefined ? [] : [String(msg)]), ...others].join(" "),
  };
}
