import type { Socket } from "node:net";
import type { OutputBudget, UnreadOutput } from "./output-budget.ts";

/** Whose output it is. */
export interface OutputOwner {
  /** Ends the connection at once. */
  dropUnread(): void;
  /** The client has taken something. */
  drained(): void;
}

/** A small reply must not keep a whole piece of the server's bytes in memory while its client doesn't read. */
const copyBelow = 4096;
/** Small replies that wait are put together up to this size: an object for each of them would take more than its bytes. */
const pageBytes = 16 * 1024;
/** A reader that is slow is given so much at a time: what it has taken leaves the memory, and shows that it goes on reading. */
const chunkBytes = 64 * 1024;
/** A client that has left has so long to read some more of the last replies, ms. */
const lingerMs = 10_000;
/** More than this in one round goes in chunks, too. */
const atOnceBytes = 2 ** 20;

/** Collects the replies for one client until the end of a round, and keeps what it hasn't read. */
export class OutputQueue implements UnreadOutput {
  /** When the client took something last, or since when there is something for it; ms of the monotonic clock. */
  movedAt = performance.now();
  readonly #socket: Socket;
  readonly #budget: OutputBudget;
  readonly #owner: OutputOwner;
  #muted = false;
  #first: Buffer | undefined;
  #more: Buffer[] | undefined;
  /** What waits until the client has read what is before it; undefined: it reads. */
  #waiting: Waiting | undefined;

  constructor(socket: Socket, budget: OutputBudget, owner: OutputOwner) {
    this.#socket = socket;
    this.#budget = budget;
    this.#owner = owner;
  }

  /** So much is unread that the client has to wait with new commands. */
  get full(): boolean {
    return this.unread >= this.#budget.share;
  }

  get unread(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength + (this.#waiting?.bytes ?? 0);
  }

  /** There is something to read, and the client hasn't for so long that it never will if it has left. */
  get stalled(): boolean {
    return this.unread > 0 && performance.now() - this.movedAt > lingerMs;
  }

  /** What was given to the socket was sent. */
  drained(): void {
    this.movedAt = performance.now();
    this.#budget.note(this);
  }

  /** The connection is closed: nobody will read the rest. */
  closed(): void {
    this.#waiting = undefined;
    this.#budget.forget(this);
  }

  drop(): void {
    this.#owner.dropUnread();
  }

  /** No replies are given: the client has asked for silence. */
  mute(muted: boolean): void {
    this.#muted = muted;
  }

  /** A reply. */
  add(bytes: Buffer): void {
    if (!this.#muted) this.push(bytes);
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
    if (this.#waiting !== undefined || socket.writableLength > 0) {
      this.#wait(more === undefined ? [first] : [first, ...more]);
      return;
    }
    if (more === undefined) socket.write(first);
    else {
      const all = [first, ...more];
      let size = 0;
      for (const piece of all) size += piece.length;
      if (size < copyBelow * 4) socket.write(Buffer.concat(all, size));
      else if (size > atOnceBytes) {
        this.#wait(all);
        return;
      } else {
        socket.cork();
        for (const piece of all) socket.write(piece);
        socket.uncork();
      }
    }
    if (socket.writableLength > 0) {
      this.movedAt = performance.now();
      this.#budget.note(this);
    }
  }

  /** Ends the connection when all was read. */
  end(): void {
    this.flush();
    this.movedAt = performance.now();
    if (this.#waiting === undefined) this.#endSocket();
    else this.#waiting.ends = true;
  }

  #endSocket(): void {
    this.#socket.end();
    this.#socket.destroySoon();
  }

  #wait(pieces: readonly Buffer[]): void {
    if (this.#waiting === undefined) {
      this.#waiting = new Waiting();
      this.movedAt = performance.now();
    }
    for (const piece of pieces) this.#waiting.push(piece);
    this.#feed(this.#waiting);
    this.#budget.note(this);
  }

  /** Gives the socket the next chunk, unless it still has one. */
  #feed(waiting: Waiting): void {
    if (waiting.feeding) return;
    const pieces = waiting.take(chunkBytes);
    const last = pieces.pop();
    if (last === undefined) return;
    waiting.feeding = true;
    const socket = this.#socket;
    socket.cork();
    for (const piece of pieces) socket.write(piece);
    socket.write(last, () => this.#sent(waiting));
    socket.uncork();
  }

  #sent(waiting: Waiting): void {
    if (this.#waiting !== waiting || this.#socket.destroyed) return;
    waiting.feeding = false;
    this.#feed(waiting);
    if (!waiting.feeding) {
      this.#waiting = undefined;
      if (waiting.ends) this.#endSocket();
    }
    this.#owner.drained();
  }
}

/** Replies for a client that reads slower than they come, oldest first. */
class Waiting {
  bytes = 0;
  /** The socket has a part of it that isn't sent. */
  feeding = false;
  /** The connection ends behind it. */
  ends = false;
  #pieces: Buffer[] = [];
  #next = 0;
  #small: Buffer[] = [];
  #smallBytes = 0;

  push(piece: Buffer): void {
    this.bytes += piece.length;
    if (piece.length >= copyBelow) {
      this.#closePage();
      this.#pieces.push(compact(piece));
      return;
    }
    this.#small.push(Buffer.from(piece));
    this.#smallBytes += piece.length;
    if (this.#smallBytes >= pageBytes) this.#closePage();
  }

  /** Takes the oldest pieces: so many that they have at least so many bytes, or all. */
  take(bytes: number): Buffer[] {
    if (this.#next === this.#pieces.length) this.#closePage();
    const taken: Buffer[] = [];
    let size = 0;
    while (size < bytes && this.#next < this.#pieces.length) {
      const piece = this.#pieces[this.#next++];
      if (piece === undefined) break;
      taken.push(piece);
      size += piece.length;
    }
    this.bytes -= size;
    // What was taken may leave the memory.
    if (this.#next > 64 || this.#next === this.#pieces.length) {
      this.#pieces = this.#pieces.slice(this.#next);
      this.#next = 0;
    }
    return taken;
  }

  #closePage(): void {
    if (this.#small.length === 0) return;
    this.#pieces.push(Buffer.concat(this.#small, this.#smallBytes));
    this.#small = [];
    this.#smallBytes = 0;
  }
}

/** The same bytes, without the rest of the server's piece that they came in. */
function compact(bytes: Buffer): Buffer {
  return bytes.length * 2 < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes;
}
