import type { Socket } from "node:net";

/** Pieces up to this size are copied together: cheaper than a system call's vector of many small ones. */
const copyUpTo = 8 * 1024;
const pageBytes = 64 * 1024;

/** Batches with something to write in this turn of the event loop. */
const dirty: WriteBatch[] = [];

function flushAll(): void {
  // A flush may fail and thereby fill another batch: that one is scheduled anew.
  for (const batch of dirty.splice(0)) batch.flush();
}

/** Collects what goes to one socket within one turn of the event loop, and writes it at once. */
export class WriteBatch {
  readonly #socket: Socket;
  readonly #onFlush: () => void;
  #page: Buffer | undefined;
  #used = 0;
  #from = 0;
  #pieces: Buffer[] = [];
  #dirty = false;
  /** Pieces of this turn, and of the one before it. */
  #count = 0;
  #countBefore = 0;

  /** @param onFlush told before what was collected is given to the socket. */
  constructor(socket: Socket, onFlush: () => void) {
    this.#socket = socket;
    this.#onFlush = onFlush;
  }

  /**
   * Has what was added written at the end of this turn; or, when the server has nothing to do and there is no sign that
   * more comes in this turn, after the event that is being handled.
   */
  schedule(serverIsIdle: boolean): void {
    if (this.#dirty) return;
    this.#dirty = true;
    // After a turn with several commands there will be several in this one, too: they go together.
    if (serverIsIdle && this.#countBefore <= 1) queueMicrotask(() => this.flush());
    else if (dirty.push(this) === 1) setImmediate(flushAll);
  }

  add(bytes: Buffer, start: number, end: number): void {
    this.#count++;
    const size = end - start;
    if (size > copyUpTo) {
      this.#closePage();
      this.#pieces.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
      return;
    }
    if (this.#page !== undefined && this.#used + size > pageBytes) {
      this.#closePage();
      this.#page = undefined;
    }
    if (this.#page === undefined) {
      this.#page = Buffer.allocUnsafeSlow(pageBytes);
      this.#used = 0;
      this.#from = 0;
    }
    bytes.copy(this.#page, this.#used, start, end);
    this.#used += size;
  }

  flush(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#countBefore = this.#count;
    // It may add something of its own.
    this.#onFlush();
    this.#count = 0;
    this.#closePage();
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    this.#pieces = [];
    const socket = this.#socket;
    if (socket.destroyed) return;
    const [first] = pieces;
    if (pieces.length === 1 && first !== undefined) socket.write(first);
    else {
      socket.cork();
      for (const piece of pieces) socket.write(piece);
      socket.uncork();
    }
    // The kernel has taken all of it: the page is free again.
    if (socket.writableLength === 0) this.#used = this.#from = 0;
    else this.#page = undefined;
  }

  #closePage(): void {
    if (this.#page !== undefined && this.#used > this.#from) {
      this.#pieces.push(this.#page.subarray(this.#from, this.#used));
      this.#from = this.#used;
    }
  }
}
