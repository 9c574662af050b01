import { type Logger, pino } from "pino";

/**
 * The log of a program: one JSON object a line on standard output, with the program's name.
 *
 * @param level least level that is written: trace, debug, info, warn, error, fatal or silent.
 */
export function createLog(program: string, level = "info"): Logger {
  return pino({ level, base: { program }, timestamp: pino.stdTimeFunctions.isoTime });
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
