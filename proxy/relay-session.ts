import type { Socket } from "node:net";
import type { Address } from "../quorum/address.ts";
import { HeldInput } from "./held-input.ts";

/** A master that has been silent for this long after its last reply has nothing more to say. */
const quietMs = 50;
/** A client that is told to leave has this long to close its side. */
const leaveMs = 1000;

/** One client and, once there is a master, its upstream. */
export class RelaySession {
  readonly #client: Socket;
  #held: HeldInput | undefined;
  #upstream: Socket | undefined;
  #master: Address | undefined;
  /** The client has sent something since the master's last bytes. */
  #owesReply = false;
  #lastReplyAt = Number.NEGATIVE_INFINITY;
  #ending = false;

  /**
   * @param client paused, and with `allowHalfOpen`.
   * @param onEnd called once, when the client's connection is closed.
   */
  constructor(client: Socket, onEnd: () => void) {
    this.#client = client;
    client
      .on("error", () => undefined)
      .once("close", () => {
        this.#upstream?.destroy();
        onEnd();
      });
  }

  /** The master that it is connected with; undefined while it is held. */
  get master(): Address | undefined {
    return this.#master;
  }

  /** It ends, or has ended: it needs no upstream any more. */
  get ending(): boolean {
    return this.#ending || this.#client.destroyed;
  }

  /** Watches the client while it waits for a master. */
  hold(): void {
    this.#held ??= new HeldInput(this.#client);
  }

  /** Connects the client with a master: first comes what it has sent already. */
  join(upstream: Socket, master: Address): void {
    const client = this.#client;
    this.#upstream = upstream;
    this.#master = master;
    for (const chunk of this.#held?.release() ?? []) {
      this.#owesReply = true;
      upstream.write(chunk);
    }
    client.on("data", () => {
      this.#owesReply = true;
    });
    upstream.on("data", () => {
      this.#owesReply = false;
      this.#lastReplyAt = performance.now();
    });
    // Redis never half-closes: its end is the end.
    upstream.once("end", () => upstream.destroy());
    upstream.once("close", () => {
      // After an end in order the last reply may still be on its way to the client.
      if (upstream.readableEnded || this.#ending) this.#leave();
      else client.destroy();
    });
    client.pipe(upstream);
    upstream.pipe(client);
  }

  /** Ends a client that never got a master, with an error reply. */
  refuse(reply: string): void {
    this.#held?.release();
    this.#client.write(reply);
    this.#leave();
  }

  /** Passes nothing more on, waits for the replies that are under way, and ends in order. */
  drain(): void {
    if (this.ending) return;
    this.#ending = true;
    const upstream = this.#upstream;
    if (upstream === undefined) {
      this.#held?.release();
      this.#leave();
      return;
    }
    this.#client.unpipe(upstream).pause();
    const look = setInterval(() => {
      const quiet = performance.now() - this.#lastReplyAt >= quietMs;
      // A slow reader holds up the bytes that come after those that wait for it.
      if (quiet && !this.#owesReply && this.#client.writableLength === 0) upstream.destroy();
    }, quietMs / 2);
    upstream.once("close", () => clearInterval(look));
  }

  /** Ends both connections at once. */
  cut(): void {
    this.#upstream?.destroy();
    this.#client.destroy();
  }

  /**
   * Ends this side and drops what still comes. Closing a connection with unread bytes would reset it, and a reset can take
   * a reply with it that the client has not read yet.
   */
  #leave(): void {
    this.#ending = true;
    const client = this.#client;
    if (client.destroyed) return;
    client.end();
    client.on("data", () => undefined).resume();
    const timer = setTimeout(() => client.destroy(), leaveMs);
    const done = (): void => {
      clearTimeout(timer);
      client.destroy();
    };
    client.once("end", done).once("close", () => clearTimeout(timer));
    if (client.readableEnded) done();
  }
}
