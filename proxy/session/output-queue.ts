import type { Socket } from "node:net";
import type { OutputBudget, UnreadOutput } from "./output-budget.ts";

/** Bounds of what a client hasn't read yet. */
interface OutputLimits {
  readonly pauseAtOutput: number;
  readonly dropAtOutput: number;
}

/** Whose output it is. */
export interface OutputOwner {
  /** Ends the connection at once. */
  dropUnread(): void;
}

/** A small reply must not keep a whole piece of the server's bytes in memory while its client doesn't read. */
const copyBelow = 4096;

/** Collects the replies for one client until the end of a round, and drops a client that doesn't read them. */
export class OutputQueue implements UnreadOutput {
  /** Nothing is given: the client has asked for silence. */
  muted = false;
  readonly #socket: Socket;
  readonly #limits: OutputLimits;
  readonly #budget: OutputBudget;
  readonly #owner: OutputOwner;
  #first: Buffer | undefined;
  #more: Buffer[] | undefined;

  constructor(socket: Socket, limits: OutputLimits, budget: OutputBudget, owner: OutputOwner) {
    this.#socket = socket;
    this.#limits = limits;
    this.#budget = budget;
    this.#owner = owner;
  }

  /** So much is unread that the client has to wait with new commands. */
  get full(): boolean {
    return this.#socket.writableLength >= this.#limits.pauseAtOutput;
  }

  get unread(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength;
  }

  /** All of it was sent. */
  drained(): void {
    this.#budget.note(this);
  }

  /** The connection is closed: nobody will read the rest. */
  closed(): void {
    this.#budget.forget(this);
  }

  drop(): void {
    this.#owner.dropUnread();
  }

  /** A reply. */
  add(bytes: Buffer): void {
    if (!this.muted) this.push(bytes);
  }

  /** What isn't a reply, and is given to a client that wants no replies, too. */
  push(bytes: Buffer): void {
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
    if (more === undefined) socket.write(slow ? compact(first) : first);
    else {
      const all = [first, ...more];
      let size = 0;
      for (const piece of all) size += piece.length;
      if (size < copyBelow * 4) socket.write(Buffer.concat(all, size));
      else {
        socket.cork();
        for (const piece of all) socket.write(slow ? compact(piece) : piece);
        socket.uncork();
      }
    }
    if (socket.writableLength > this.#limits.dropAtOutput) this.drop();
    else if (socket.writableLength > 0) this.#budget.note(this);
  }
}

/** The same bytes, without the rest of the server's piece that they came in. */
function compact(bytes: Buffer): Buffer {
  const shares = bytes.length < copyBelow || bytes.length * 2 < bytes.buffer.byteLength;
  return shares ? Buffer.from(bytes) : bytes;
}
