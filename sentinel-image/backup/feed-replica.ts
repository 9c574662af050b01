import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { messageOf } from "../../runtime/log.ts";

/** A master that has nothing but one RDB file, for one replica. */
export interface FileMaster {
  readonly port: number;
  /** Fails when the file can't be read to its end, or the replica doesn't take it. Never resolves: whoever loads sees the end itself. */
  readonly failed: Promise<never>;
  readonly close: () => void;
}

/**
 * Offers an RDB file on the loopback, as a master offers it to a replica that loads from the connection: so a server takes a file into its memory
 * that lies on no disk. It waits for the replica, and holds nothing of the file.
 */
export async function offerFile(body: AsyncIterable<Uint8Array>): Promise<FileMaster> {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  const sockets = new Set<Socket>();
  let given = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      sockets.delete(socket);
      // A replica that can't read what it gets hangs up, and would come again.
      if (given) reject(new Error("the server that was to load the backup hung up: its data can't be read"));
    });
    void serve(socket, () => {
      if (given) throw new Error("the server didn't take the data at the first attempt");
      given = true;
      return body;
    }).catch((error: unknown) => {
      reject(error instanceof Error ? error : new Error(messageOf(error)));
      socket.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    failed,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Everything but `PSYNC` is answered by yes: a replica asks whether its master lives, and says what it can. */
async function serve(socket: Socket, take: () => AsyncIterable<Uint8Array>): Promise<void> {
  let text = "";
  // Not an iterator, whose end would end the connection.
  for (;;) {
    for (let next = takeCommand(text); next !== undefined; next = takeCommand(text)) {
      text = next.rest;
      if (/^P?SYNC$/i.test(next.name)) return send(socket, take());
      socket.write(/^PING$/i.test(next.name) ? "+PONG\r\n" : "+OK\r\n");
    }
    const [data] = (await once(socket, "data")) as [Buffer];
    text += data.toString("latin1");
  }
}

/** The first command of what has come; undefined: it isn't whole yet. */
function takeCommand(text: string): { readonly name: string; readonly rest: string } | undefined {
  const lines = text.split("\r\n");
  const count = Number(/^\*(\d+)$/.exec(lines[0] ?? "")?.[1] ?? Number.NaN);
  // A line with the length and one with the text, for each word; then whatever comes next.
  const used = 1 + 2 * count;
  if (!(lines.length > used)) return undefined;
  return { name: lines[2] ?? "", rest: lines.slice(used).join("\r\n") };
}

async function send(socket: Socket, body: AsyncIterable<Uint8Array>): Promise<void> {
  const mark = randomBytes(20).toString("hex");
  // What the replica sends from now on is of no interest, but has to be read.
  socket.resume();
  socket.write(`+FULLRESYNC ${mark} 0\r\n$EOF:${mark}\r\n`);
  for await (const part of body) {
    if (socket.destroyed)
      throw new Error("the server that was to load the backup hung up: its data can't be read");
    if (!socket.write(part)) await Promise.race([once(socket, "drain"), once(socket, "close")]);
  }
  socket.write(mark);
}
