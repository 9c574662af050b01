import { connect } from "node:net";
import { frameCommand } from "./resp-frames.ts";

/** How the commands of a transcript are written. */
export type Dialect = "RESP2" | "RESP3" | "inline";

export const dialects: readonly Dialect[] = ["RESP2", "RESP3", "inline"];

/** A transcript that takes longer has no end. */
const withinMs = 10_000;
const marker = "the-end-of-it";
/** Behind it may stand what MONITOR tells of others, such as the proxy's own questions. */
const endOfTranscript = new RegExp(`${marker}"?\r\n(?=(?:\\+\\d+\\.\\d+ \\[[^\r]*\r\n)*$)`);

/** Whether commands are sent one by one, each when there was an answer to the one before, is up to the reader. */
export interface TranscriptOptions {
  /** How many commands there are in each packet. Default: all in one. */
  readonly packetSize?: number;
}

/**
 * Everything that a server says to these commands on one connection, byte by byte as latin1, until its answer to a last
 * PING or until it ends the connection. RESP3's greeting isn't part of it.
 *
 * @throws {Error} with what came so far, when there is no end.
 */
export async function transcriptOf(
  port: number,
  dialect: Dialect,
  commands: readonly (readonly string[])[],
  { packetSize = commands.length + 1 }: TranscriptOptions = {},
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const all = [...commands, ["PING", marker]].map(dialect === "inline" ? inlineCommand : frameCommand);
  const chunks: Buffer[] = [];
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  const received = (): string => Buffer.concat(chunks).toString("latin1");
  const timer = setTimeout(
    () => reject(new Error(`no end after ${JSON.stringify(received().slice(-500))}`)),
    withinMs,
  );
  let greeted = dialect !== "RESP3";
  const send = (): void => {
    for (let at = 0; at < all.length; at += packetSize) {
      socket.write(all.slice(at, at + packetSize).join(""), "latin1");
    }
  };
  socket
    .on("connect", () => (greeted ? send() : socket.write(frameCommand(["HELLO", "3"]))))
    .on("data", (chunk: Buffer) => {
      if (!greeted) {
        greeted = true;
        send();
        return;
      }
      chunks.push(chunk);
      const last = chunk.length > marker.length ? Buffer.concat(chunks.slice(-2)) : Buffer.concat(chunks);
      if (!last.includes(marker)) return;
      const text = received();
      const end = endOfTranscript.exec(text);
      if (end !== null) resolve(text.slice(0, end.index + end[0].length));
    })
    .on("error", reject)
    .on("close", () => resolve(`${received()}(closed)`));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** The line of an inline command, every argument in quotes. */
function inlineCommand(args: readonly string[]): string {
  return `${args.map((arg) => `"${arg.replace(/[^ !#-[\]-~]/g, escaped)}"`).join(" ")}\r\n`;
}

function escaped(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
