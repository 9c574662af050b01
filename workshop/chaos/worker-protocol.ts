import { z } from "zod";
import { commandNames } from "./history.ts";

/**
 * What a worker writes to its standard output, one JSON array a line, whatever language it is written in. A worker keeps
 * some commands in flight all the time, in turns INCR, RPUSH, SET and GET (of a key that was set and acknowledged), and if it
 * likes the others of {@link commandNames}, with the keys of {@link ledgerKeys}. Its standard input tells it `round NAME` (later commands belong to this round) and
 * `stop`. After `-UNCERTAIN` it sends its next command without the pause: from then on it is ready to write. Arguments: `--host H --port N --client NAME --in-flight N --pause-ms N`; the password is in the file that
 * `REDIS_PASSWORD_FILE` names. Times are ms of CLOCK_MONOTONIC.
 */
const message = z.union([
  /** It is connected; commands begin with the first round. */
  z.tuple([z.literal("ready")]),
  z.tuple([
    z.literal("op"),
    z.string(),
    z.enum(commandNames),
    z.string(),
    z.number(),
    z.number(),
    z.enum(["acknowledged", "error", "open"]),
    z.string(),
  ]),
  /** A connection was lost; the text begins with `timeout` when the client's own patience was over. */
  z.tuple([z.literal("disconnect"), z.number(), z.string()]),
  /** A later round has begun and all commands of this one have ended: so many were sent. */
  z.tuple([z.literal("drained"), z.string(), z.number()]),
]);

/** A message of a worker. */
export type WorkerMessage = z.infer<typeof message>;

/**
 * Reads one line of a worker.
 *
 * @throws {Error} that shows the line when it is none of the messages.
 */
export function parseWorkerLine(line: string): WorkerMessage {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`a worker wrote '${line.slice(0, 200)}', which is no JSON`);
  }
  const parsed = message.safeParse(value);
  if (!parsed.success) throw new Error(`a worker wrote '${line.slice(0, 200)}', which is no message`);
  return parsed.data;
}
