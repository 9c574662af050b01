import type { Socket } from "node:net";

/** Bounds of what a client hasn't read yet. */
interface OutputLimits {
  readonly pauseAtOutput: number;
  readonly dropAtOutput: number;
}

/** A small reply must not keep a whole piece of the server's bytes in memory while its client doesn't read. */
const copyBelow = 4096;

/** Collects the replies for one client until the end of a round, and drops a client that doesn't read them. */
export class OutputQueue {
  /** Nothing is given: the client has asked for silence. */
  muted = false;
  readonly #socket: Socket;
  readonly #limits: OutputLimits;
  readonly #drop: () => void;
  #first: Buffer | undefined;
  #more: Buffer[] | undefined;

  constructor(socket: Socket, limits: OutputLimits, drop: () => void) {
    this.#socket = socket;
    this.#limits = limits;
    this.#drop = drop;
  }

  /** So much is unread that the client has to wait with new commands. */
  get full(): boolean {
    return this.#socket.writableLength >= this.#limits.pauseAtOutput;
  }

  add(bytes: Buffer): void {
    if (this.muted) return;
    if (this.#first === undefined) this.#first = bytes;
    else if (this.#more === undefined) this.#more = [bytes];
    else this.#more.push(bytes);
  }

  flush(): void {
    const first = this.#first;
    if (first === undefined) return;
    const more = this.#more;
    this.#first = this.#more = undefined;
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    const slow = socket.writableLength > 0;
    if (more === undefined) socket.write(slow && first.length < copyBelow ? Buffer.from(first) : first);
    else {
      const all = [first, ...more];
      let size = 0;
      for (const piece of all) size += piece.length;
      if (size < copyBelow * 4) socket.write(Buffer.concat(all, size));
      else {
        socket.cork();
        for (const piece of all) socket.write(slow && piece.length < copyBelow ? Buffer.from(piece) : piece);
        socket.uncork();
      }
    }
    if (socket.writableLength > this.#limits.dropAtOutput) this.#drop();
  }
}
