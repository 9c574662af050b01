import type { ControlConnection } from "../../quorum/control-connection.ts";
import { nowhere } from "../failover/follow-keeping-data.ts";
import { WritePause } from "../failover/write-pause.ts";

const needed = "min-replicas-to-write";
/** More replicas than any Redis has. */
const never = 10_000;

/**
 * Keeps a foreign Redis from taking writes: for a moment while its last ones are received, and for good once its data are taken over. Where
 * `CLIENT PAUSE … WRITE` isn't there (before 6.2, or renamed) writes are refused with NOREPLICAS instead of waiting.
 */
export class SourceFence {
  readonly #source: ControlConnection;
  readonly #pause: WritePause;
  /** What the source asked for before; undefined: it isn't refusing for us. */
  #usual: string | undefined;

  constructor(source: ControlConnection) {
    this.#source = source;
    this.#pause = new WritePause(source);
  }

  /** @param ms when a pause ends by itself. @throws {Error} when the source takes neither. */
  async begin(ms: number): Promise<void> {
    try {
      await this.#pause.begin(ms);
    } catch {
      // It may have begun.
      await this.#pause.end().catch(() => undefined);
      const [, usual] = (await this.#source.call("CONFIG", "GET", needed)) as unknown[];
      await this.#source.call("CONFIG", "SET", needed, never);
      this.#usual = String(usual);
    }
  }

  /** Lets writes go on as before. */
  async end(): Promise<void> {
    await this.#pause.end();
    if (this.#usual === undefined) return;
    await this.#source.call("CONFIG", "SET", needed, this.#usual);
    this.#usual = undefined;
  }

  /** From now on it is a replica that has lost its master: it keeps its data, answers reads with them, and refuses writes with READONLY. */
  async close(): Promise<void> {
    await this.#source.call("REPLICAOF", nowhere.host, nowhere.port);
  }
}
