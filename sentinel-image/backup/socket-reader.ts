import type { Socket } from "node:net";

/** Reads a connection line by line, then as bytes. What isn't asked for stays with the kernel: whoever sends has to wait. */
export class SocketReader {
  readonly #socket: Socket;
  readonly #silenceMs: number;
  #held: Buffer = Buffer.alloc(0);

  /** @param silenceMs how long the other side may say nothing while it is waited for. */
  constructor(socket: Socket, silenceMs: number) {
    this.#socket = socket;
    this.#silenceMs = silenceMs;
    socket.pause();
  }

  /** The next line, without its end. @throws {Error} when the connection ends, or is silent for too long. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#held.indexOf("\n");
      if (end >= 0) {
        const line = this.#held.toString("latin1", 0, end).replace(/\r$/, "");
        this.#held = this.#held.subarray(end + 1);
        return line;
      }
      if (this.#held.length > longestLine) throw new Error("the server sends what is no answer");
      this.#held = Buffer.concat([this.#held, await this.#more()]);
    }
  }

  /** The next line that is an answer, without its sign. @throws {Error} with its text when it is an error. */
  async answer(): Promise<string> {
    let line = await this.line();
    while (line === "") line = await this.line();
    if (line.startsWith("-")) throw new Error(line.slice(1));
    return line.slice(1);
  }

  /** The next bytes, at least one. @throws {Error} as {@link line} does. */
  async bytes(): Promise<Buffer> {
    if (this.#held.length === 0) return this.#more();
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    return held;
  }

  #more(): Promise<Buffer> {
    const socket = this.#socket;
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const look = (): void => {
      const data: unknown = socket.read();
      if (Buffer.isBuffer(data)) resolve(data);
      else if (socket.errored) reject(socket.errored);
      else if (socket.readableEnded || socket.destroyed) reject(new Error("the connection ended too early"));
    };
    const silent = setTimeout(
      () => reject(new Error(`nothing came for ${this.#silenceMs / 1000} s`)),
      this.#silenceMs,
    );
    for (const event of ["readable", "end", "close"]) socket.on(event, look);
    look();
    return promise.finally(() => {
      clearTimeout(silent);
      for (const event of ["readable", "end", "close"]) socket.off(event, look);
    });
  }
}

const longestLine = 4096;
