import type { Socket } from "node:net";

/** What one held client may send before its bytes stay in the kernel, where they slow it down. */
const maxBytes = 2 ** 20;

/**
 * Reads from a client that has no upstream yet. Only by reading it is seen that the client leaves, and then nothing of
 * what it sent may ever be executed: it has told its user that the command failed.
 */
export class HeldInput {
  readonly #client: Socket;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  readonly #keep = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= maxBytes) this.#client.pause();
  };
  // Redis, too, takes the end of what a client sends for its departure.
  readonly #leave = (): void => {
    this.#client.destroy();
  };

  constructor(client: Socket) {
    this.#client = client;
    client.on("data", this.#keep).once("end", this.#leave).resume();
  }

  /** Ends the holding: gives what was read, and the client is paused again. */
  release(): readonly Buffer[] {
    this.#client.pause().off("data", this.#keep).off("end", this.#leave);
    return this.#chunks;
  }
}
