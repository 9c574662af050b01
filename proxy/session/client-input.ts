import type { Socket } from "node:net";
import { afterSocketsWereRead } from "../../runtime/after-sockets-were-read.ts";
import { keepPiece } from "../resp/keep-piece.ts";
import type { LinkState } from "../upstream/master-link.ts";
import type { ByteBudget, Reader } from "./byte-budget.ts";
import type { SessionLimits } from "./session-host.ts";

/** What decides whether a client may send more. */
export interface InputOwner {
  /** Something waits: what comes now waits behind it. */
  readonly blocked: boolean;
  /** Bytes in memory beside those that are kept here. */
  readonly heldBytes: number;
  readonly host: { readonly link: { readonly state: LinkState } };
  /** What it hasn't read. */
  readonly output: { readonly full: boolean };
  /** Redis may block for it: that it leaves must be seen at once. */
  readonly ownConnection: { readonly blocking: boolean } | undefined;
  /** What waited may go on. */
  turn(): void;
  /** It has sent so much behind a command that blocks that nobody can see any more whether it is still there. */
  dropInput(): void;
}

/** The kernel keeps hardly more of one connection. */
const lookAheadBytes = 16 * 2 ** 20;

/** What a client has sent and nobody has looked at; and whether more of it is read. */
export class ClientInput implements Reader {
  readonly #socket: Socket;
  readonly #owner: InputOwner;
  readonly #limits: SessionLimits;
  readonly #budget: ByteBudget;
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** What the budget was told. */
  #accounted = 0;
  #looking = false;
  /** All that had arrived was read, and its end wasn't there: true only while {@link InputOwner.turn} is called for that. */
  #justLooked = false;
  #stopped = false;
  #congested = false;

  constructor(socket: Socket, owner: InputOwner, limits: SessionLimits, budget: ByteBudget) {
    this.#socket = socket;
    this.#owner = owner;
    this.#limits = limits;
    this.#budget = budget;
  }

  get empty(): boolean {
    return this.#pieces.length === 0;
  }

  /** The budget counts bytes of this client. */
  get accounted(): boolean {
    return this.#accounted > 0;
  }

  /** The master doesn't take what was sent to it already. */
  get congested(): boolean {
    return this.#congested;
  }

  congest(congested: boolean): void {
    this.#congested = congested;
  }

  get paused(): boolean {
    return this.#socket.isPaused();
  }

  /** No more is read before some of it was taken. */
  get crowded(): boolean {
    const bytes = this.#bytes + this.#owner.heldBytes;
    return bytes >= this.#limits.aheadBytes || (bytes > 0 && this.#budget.full);
  }

  /** It is found out whether the client has left. */
  get looking(): boolean {
    return this.#looking;
  }

  /** Whether the client hasn't left. It is found out first if that wasn't done just now: then false, and {@link InputOwner.turn} is called later. */
  isStillThere(): boolean {
    if (this.#justLooked) return true;
    this.lookForEnd();
    return false;
  }

  keep(piece: Buffer): void {
    keepPiece(this.#pieces, piece);
    this.#bytes += piece.length;
  }

  next(): Buffer | undefined {
    const piece = this.#pieces.shift();
    if (piece !== undefined) this.#bytes -= piece.length;
    return piece;
  }

  drop(): void {
    this.#bytes = 0;
    this.#pieces = [];
    this.#account(0);
  }

  /** The client has closed its side, or is gone: nothing more is read. */
  stop(): void {
    this.#stopped = true;
  }

  mayRead(): boolean {
    this.regulate();
    return !this.#stopped && !this.paused;
  }

  /** Counts what waits, and reads from the client only as long as there is room for more. */
  regulate(): void {
    if (this.#stopped) return;
    const { blocked, heldBytes, output, host, ownConnection } = this.#owner;
    const bytes = this.#bytes + heldBytes;
    this.#account(bytes);
    const limits = this.#limits;
    // Whoever sends everything before it reads must be able to do so.
    const enough =
      blocked &&
      (output.full
        ? bytes >= limits.aheadBytes
        : bytes >= limits.heldBytes || this.#pieces.length >= limits.heldPieces);
    if (ownConnection?.blocking === true) {
      const tooMuch = bytes >= lookAheadBytes || (enough && this.#budget.full);
      if (tooMuch) this.#owner.dropInput();
      else if (this.paused) this.#socket.resume();
      return;
    }
    const pause =
      !this.#looking &&
      (enough ||
        this.#congested ||
        (bytes > 0 && !this.#budget.mayGrow(this, !blocked && host.link.state !== "holding")));
    if (pause && !this.paused) this.#socket.pause();
    else if (!pause && this.paused) this.#socket.resume();
  }

  /**
   * A socket that isn't read from doesn't tell that its client has left, and one that is tells it a turn later than what came
   * before; then nothing of it may be executed. What the kernel has is read before the client goes on: behind it may be the end.
   */
  lookForEnd(): void {
    if (this.#looking) return;
    this.#looking = true;
    const before = this.#bytes;
    this.#socket.resume();
    afterSocketsWereRead(() => {
      this.#looking = false;
      if (this.#socket.destroyed) return;
      const more = this.#bytes > before && this.#bytes < lookAheadBytes;
      if (more && this.#budget.total < 2 * this.#limits.heldBytesInAll) this.lookForEnd();
      else {
        this.#justLooked = true;
        this.#owner.turn();
        this.#justLooked = false;
      }
    });
  }

  #account(bytes: number): void {
    if (bytes === this.#accounted) return;
    const change = bytes - this.#accounted;
    this.#accounted = bytes;
    this.#budget.change(this, change, bytes === 0);
  }
}
