import { execFile } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { Logger } from "pino";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { formatAddress } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import type { MoveSource } from "../../runtime/move-source.ts";
import { askPeers, parseInfo } from "../start/ask-peer.ts";
import { hasStoredData } from "../start/stored-data.ts";
import { decideMoveStart, moveFile, readMoveNote, whyNotFollow, writeMoveNote } from "./move-note.ts";
import { SourceFence } from "./source-fence.ts";

/** In the folder `ha`: an operator's order to throw the copy of another Redis away. */
export const backOutFile = "back-out.order";

export interface StartMoveOptions {
  readonly source: MoveSource | undefined;
  /** The folder `ha` of the volume. */
  readonly directory: string;
  readonly dataDirectory: string;
  /** The engine's server. */
  readonly program: string;
  readonly maxmemoryBytes: number;
  /** The other instances. */
  readonly peers: readonly ControlConnection[];
  /** Told why this instance waits, or must not start. */
  readonly onWaiting: (waiting: { readonly for?: string; readonly refused?: string | undefined }) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const askEveryMs = 1000;

/**
 * The Redis whose data are taken over, if this instance starts as its replica. Waits as long as that can't be followed, or a person has to decide.
 *
 * @throws {Error} when the note on the volume can't be read, or `signal` ends the waiting.
 */
export async function startMove(options: StartMoveOptions): Promise<MoveSource | undefined> {
  const { source, directory, dataDirectory, peers, onWaiting, log, signal } = options;
  const file = join(directory, moveFile);
  takeBackOut(file, options);
  let told = "";
  for (;;) {
    const note = readMoveNote(file);
    const decision = decideMoveStart({
      source,
      note,
      hasData: hasStoredData(dataDirectory),
      peers: source === undefined ? [] : await askPeers(peers),
    });
    if (decision.kind === "none") {
      // What was backed out is over when nothing is to be taken over any more.
      if (source === undefined && note?.state === "backed-out") rmSync(file);
      onWaiting({ refused: undefined });
      return undefined;
    }
    let problem = decision.kind === "refuse" ? decision.reason : undefined;
    if (source !== undefined && decision.kind !== "refuse") {
      const given = formatAddress(source.address);
      if (decision.kind === "ask") {
        const state = await askWhetherMoved(source);
        if (state instanceof Error) problem = state.message;
        else {
          log.warn({ state }, "this instance ended in the middle of a cut-over");
          writeMoveNote(file, { source: given, state });
          continue;
        }
      } else if (decision.kind === "follow" && decision.new) problem = await lookAtSource(source, options);
      if (problem === undefined) {
        writeMoveNote(file, { source: given, state: decision.kind === "over" ? "moved" : "following" });
        onWaiting({ refused: undefined });
        return decision.kind === "follow" ? source : undefined;
      }
    }
    onWaiting({ refused: problem });
    if (problem !== undefined && problem !== told) log.warn({ problem }, "not starting yet");
    told = problem ?? "";
    await delay(askEveryMs, undefined, { signal });
  }
}

/** What became of a cut-over in which this instance ended. */
async function askWhetherMoved(source: MoveSource): Promise<"moved" | "following" | Error> {
  try {
    return (await asking(source, (connection) => new SourceFence(connection).isUp())) ? "moved" : "following";
  } catch (error) {
    return new Error(
      `this instance ended in the middle of a cut-over, and whether that took place only the old master knows: ${messageOf(error)}`,
    );
  }
}

/** One question to the source. */
async function asking<T>(
  source: MoveSource,
  question: (connection: ControlConnection) => Promise<T>,
): Promise<T> {
  const connection = new ControlConnection({ ...source, timeoutMs: 1000 });
  try {
    return await question(connection);
  } finally {
    connection.close();
  }
}

async function lookAtSource(
  source: MoveSource,
  { program, maxmemoryBytes }: StartMoveOptions,
): Promise<string | undefined> {
  try {
    const [info, { stdout }] = await Promise.all([
      asking(source, (connection) => connection.call("INFO")),
      promisify(execFile)(program, ["--version"], { timeout: 5000 }),
    ]);
    return whyNotFollow(source, { info: parseInfo(String(info)), ownVersion: stdout, maxmemoryBytes });
  } catch (error) {
    return `the Redis whose data are to be taken over can't be asked: ${messageOf(error)}`;
  }
}

/** Only a copy is thrown away: what was cut over exists nowhere else. */
function takeBackOut(file: string, { directory, dataDirectory, log }: StartMoveOptions): void {
  const order = join(directory, backOutFile);
  if (!existsSync(order)) return;
  const note = readMoveNote(file);
  if (note?.state === "following") {
    log.warn({ source: note.source }, "an operator backs the move out: the copy is thrown away");
    // First: whoever is killed after it is told once more.
    writeMoveNote(file, { ...note, state: "backed-out" });
    for (const name of ["dump.rdb", "appendonlydir", join("ha", "last.json")])
      rmSync(join(dataDirectory, name), { recursive: true, force: true });
  } else log.error({ state: note?.state ?? "none" }, "there is no copy that could be backed out");
  rmSync(order);
}
