import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Address, formatAddress } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import { serverName } from "../../runtime/tls-files.ts";
import type { Login } from "../conf/server-access.ts";
import { SocketReader } from "./socket-reader.ts";

/** Where a server's data are read, as a replica reads them. */
export interface SnapshotSource {
  readonly address: Address;
  /** Whom its certificate has to name. Default: the address. */
  readonly provesToBe?: Address;
  /** Who may ask for all data: the user `replica`, or everybody's password. */
  readonly login: Login;
  /** A server that says nothing for so long is given up, ms. Default 30 s: before the data it sends a sign of life every 10 s. */
  readonly silenceMs?: number;
}

/** All data of a server at one moment, as an RDB file that comes while it is read. */
export interface Snapshot {
  /** The history that the data belong to, and their place in it. */
  readonly replication: { readonly id: string; readonly offset: number };
  /** The RDB file. It can be read once, ends with the last byte of it, and throws when the server breaks off. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends it. Needed when nobody reads the file to its end. */
  readonly close: () => void;
}

const markBytes = 40;

/**
 * Has a server write all its data into this connection: its fork copies nothing to the volume, and waits whenever the reader does.
 * Of a replica it stands in the list of that one's replicas meanwhile, where no Sentinel looks; in a master's they would take it for one.
 *
 * @param beforeIt is called at the last moment before the server is asked.
 * @throws {Error} when it can't be reached, or refuses: it has no master, or another copy is being made.
 */
export async function openSnapshot<T>(
  source: SnapshotSource,
  beforeIt: () => Promise<T>,
  signal: AbortSignal,
): Promise<Snapshot & { readonly before: T }> {
  const { address, silenceMs = 30_000 } = source;
  const socket = connect(source);
  const abort = (): void => void socket.destroy(new Error("the backup was given up"));
  signal.addEventListener("abort", abort, { once: true });
  const close = (): void => {
    signal.removeEventListener("abort", abort);
    socket.destroy();
  };
  try {
    signal.throwIfAborted();
    const reader = new SocketReader(socket, silenceMs);
    await logIn(socket, reader, source);
    const before = await beforeIt();
    socket.write(command("PSYNC", "?", "-1"));
    const [, id = "", offset = ""] = (await reader.answer()).split(" ");
    // Sent until the fork has begun: a newline every 10 s.
    let head = await reader.line();
    while (head === "") head = await reader.line();
    const replication = { id, offset: Number(offset) };
    return { before, replication, body: readBody(reader, head), close };
  } catch (error) {
    close();
    throw new Error(`${formatAddress(address)} gives no copy of its data: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function connect({ address, provesToBe = address, login }: SnapshotSource): Socket {
  const socket =
    login.tls === undefined
      ? connectPlain(address)
      : connectTls({ ...address, ...login.tls.read(), ...serverName(provesToBe) });
  // Every error is told to whoever reads; one that comes when nobody does is too late to matter.
  socket.on("error", () => undefined);
  return socket;
}

async function logIn(socket: Socket, reader: SocketReader, { login }: SnapshotSource): Promise<void> {
  const password = login.password();
  if (password !== undefined) {
    const words = login.username === undefined ? [password] : [login.username, password];
    socket.write(command("AUTH", ...words));
    await reader.answer();
  }
  // All data and nothing of what is written after them (Redis ≥ 7.0), which would need memory; ended by a mark instead of begun by a length.
  for (const words of [
    ["rdb-only", "1"],
    ["capa", "eof"],
  ]) {
    socket.write(command("REPLCONF", ...words));
    await reader.answer();
  }
}

/** @param head `$EOF:` and the mark that stands behind the file. */
async function* readBody(reader: SocketReader, head: string): AsyncIterable<Uint8Array> {
  const mark = /^\$EOF:(.{40})$/.exec(head)?.[1];
  if (mark === undefined)
    throw new Error(`the server sends its data in a form that isn't known here: ${head}`);
  let held = Buffer.alloc(0);
  for (;;) {
    const data = Buffer.concat([held, await reader.bytes()]);
    // Nothing is sent behind the mark, and it is random: as a replica finds it, too.
    const found = data.length >= markBytes && data.toString("latin1", data.length - markBytes) === mark;
    const whole = Math.max(0, data.length - markBytes);
    if (whole > 0) yield data.subarray(0, whole);
    if (found) return;
    held = data.subarray(whole);
  }
}

function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
}
