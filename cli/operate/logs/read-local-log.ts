import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { messageOf } from "../../../runtime/log.ts";
import type { LocalPart } from "../../local/local-topology.ts";
import { keepLines, type LogQuery, type PartLog } from "./part-log.ts";

/** A log of days is not read from its beginning for the end of it, bytes. */
const readAtMost = 32 * 2 ** 20;

/** Reads the end of the file to which a part of this machine's topology writes. */
export async function readLocalLog(
  { name, kind, logFile }: LocalPart,
  { lines }: Pick<LogQuery, "lines">,
): Promise<PartLog> {
  const kept = keepLines(lines);
  const about = { part: name, kind, zone: "" };
  try {
    const start = Math.max(0, (await stat(logFile)).size - readAtMost);
    let isFirst = start > 0;
    for await (const chunk of createReadStream(logFile, { start, encoding: "utf8" })) {
      const text = chunk as string;
      // The line in whose middle it begins.
      kept.feed(isFirst ? text.slice(text.indexOf("\n") + 1) : text);
      isFirst = false;
    }
    kept.end();
    return { ...about, lines: kept.lines, cut: kept.cut || start > 0 };
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const problem = missing ? "it has written nothing yet" : messageOf(error);
    return { ...about, lines: kept.lines, cut: false, problem };
  }
}
