import { connect, type Socket } from "node:net";
import { eventually } from "./eventually.ts";
import { frameCommand, type Shown, show, splitFrames } from "./resp-frames.ts";

/** A Redis client of a test: it sends what it is told, byte by byte, and keeps every reply with its exact shape. */
export class RespClient {
  readonly socket: Socket;
  /** The other side has ended the connection in order. */
  ended = false;
  closed = false;
  error: Error | undefined;
  readonly #frames: string[] = [];
  #rest = "";

  private constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
    this.socket
      .on("data", (chunk: Buffer) => {
        const { frames, rest } = splitFrames(this.#rest + chunk.toString("latin1"));
        this.#rest = rest;
        this.#frames.push(...frames);
      })
      .on("end", () => {
        this.ended = true;
      })
      .on("error", (error) => {
        this.error = error;
      })
      .on("close", () => {
        this.closed = true;
      });
  }

  /** Connects; with protocol 3 it says HELLO 3. */
  static async connect(port: number, protocol: 2 | 3 = 2): Promise<RespClient> {
    const client = new RespClient(port);
    await eventually(
      () => {
        if (client.socket.connecting) throw new Error("not connected");
      },
      { everyMs: 2 },
    );
    if (protocol === 3) {
      const hello = await client.call("HELLO", "3");
      if (!Array.isArray(hello) || hello[0] !== "%") throw new Error(`HELLO 3 gave ${JSON.stringify(hello)}`);
    }
    return client;
  }

  /** Sends one command, as words or as `"SET a 1"`. */
  send(...words: string[]): void {
    this.socket.write(frameCommand(wordsOf(words)), "latin1");
  }

  /** Sends several commands in one packet, `"SET a 1"`. */
  pipeline(...commands: string[]): void {
    this.socket.write(commands.map((command) => frameCommand(command.split(" "))).join(""), "latin1");
  }

  /** The next reply. */
  async reply(withinMs = 2000): Promise<Shown> {
    const found = await this.replies(1, withinMs);
    return found[0] ?? null;
  }

  /** The next replies, in the order in which they came. */
  async replies(count: number, withinMs = 2000): Promise<Shown[]> {
    return (await this.rawReplies(count, withinMs)).map(show);
  }

  /** The next replies as the bytes that came. */
  async rawReplies(count: number, withinMs = 2000): Promise<string[]> {
    await eventually(
      () => {
        if (this.#frames.length >= count) return;
        const state = this.closed ? "closed" : this.ended ? "ended" : "open";
        const seen = JSON.stringify(this.unread).slice(0, 500);
        throw new Error(`${this.#frames.length} of ${count} replies, connection ${state}: ${seen}`);
      },
      { withinMs, everyMs: 2 },
    );
    return this.#frames.splice(0, count);
  }

  /** Sends one command and gives its reply. */
  async call(...words: string[]): Promise<Shown> {
    this.send(...words);
    return this.reply();
  }

  /** Replies that have come and weren't looked at. */
  get unread(): readonly Shown[] {
    return this.#frames.map(show);
  }

  /** Waits until the other side has ended or closed the connection. */
  async gone(withinMs = 2000): Promise<void> {
    await eventually(
      () => {
        if (!this.ended && !this.closed) throw new Error("the connection is open");
      },
      { withinMs, everyMs: 2 },
    );
  }

  get isOpen(): boolean {
    return !this.ended && !this.closed;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** One text is split at its spaces; several words stay as they are. */
function wordsOf(words: readonly string[]): readonly string[] {
  return words.length === 1 ? (words[0] ?? "").split(" ") : words;
}
