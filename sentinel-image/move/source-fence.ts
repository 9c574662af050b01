import { askRole, type Role } from "../../quorum/ask-role.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { sameAddress } from "../../runtime/address.ts";
import { nowhere } from "../failover/follow-keeping-data.ts";
import { WritePause } from "../failover/write-pause.ts";

const needed = "min-replicas-to-write";
const maxLag = "min-replicas-max-lag";
/** More replicas than any Redis has. */
const never = "10000";

/**
 * Keeps a foreign Redis from taking writes: for a moment while its last ones are received, and for good once its data are taken over.
 *
 * At the change it is a replica of nobody for a moment: READONLY is what proves to a proxy that nothing of a script or a transaction was executed. Then it is a
 * master again, that lacks replicas: a Sentinel or an operator that looks after it would replace one that isn't.
 */
export class SourceFence {
  readonly #source: ControlConnection;
  readonly #pause: WritePause;
  /** What the source asked for before; undefined: it isn't refusing for the moment alone. */
  #usual: string | undefined;

  constructor(source: ControlConnection) {
    this.#source = source;
    this.#pause = new WritePause(source);
  }

  /**
   * Until {@link end}. Where `CLIENT PAUSE … WRITE` isn't there (before 6.2, or renamed, or not allowed) writes are refused instead of waiting.
   *
   * @param ms when a pause ends by itself. @throws {Error} when the source takes neither.
   */
  async begin(ms: number): Promise<void> {
    try {
      await this.#pause.begin(ms);
    } catch {
      // It may have begun.
      await this.#pause.end().catch(() => undefined);
      this.#usual = await this.#ask(needed);
      await this.#refuse();
    }
  }

  /** Lets writes go on, or be refused if it was closed. */
  async end(): Promise<void> {
    await this.#pause.end();
    if (this.#usual === undefined) return;
    await this.#source.call("CONFIG", "SET", needed, this.#usual);
    this.#usual = undefined;
  }

  /** From now on it refuses writes with READONLY. */
  async close(): Promise<void> {
    await this.#source.call("REPLICAOF", nowhere.host, nowhere.port);
  }

  /** Takes {@link close} and {@link begin} back: whoever gave the order didn't take the role. It may be repeated until it succeeds. */
  async undo(): Promise<void> {
    if (isClosed(await askRole(this.#source))) await this.#source.call("REPLICAOF", "NO", "ONE");
    await this.end();
  }

  /**
   * It refuses writes with NOREPLICAS, as a master, until it is started again. @returns whether it took writes until now.
   */
  async settle(): Promise<boolean> {
    const role = await askRole(this.#source);
    const closed = isClosed(role);
    // Somebody else has made something of it that takes no writes either.
    if (!closed && role.kind === "replica") return false;
    const refuses = (await this.#ask(needed)) === never;
    if (!refuses) await this.#refuse();
    if (closed) await this.#source.call("REPLICAOF", "NO", "ONE");
    return !closed && !refuses;
  }

  /** @throws {Error} when it couldn't be kept from taking writes. */
  async check(): Promise<void> {
    await this.#ask(needed);
  }

  /** Whether the source has lost its role to this set, for good or for the moment. @throws {Error} when it doesn't say. */
  async isUp(): Promise<boolean> {
    return isClosed(await askRole(this.#source)) || (await this.#ask(needed)) === never;
  }

  async #refuse(): Promise<void> {
    // With a lag of 0 nobody counts the replicas.
    if ((await this.#ask(maxLag)) === "0") await this.#source.call("CONFIG", "SET", maxLag, 10);
    await this.#source.call("CONFIG", "SET", needed, never);
  }

  async #ask(setting: string): Promise<string> {
    const [, value] = (await this.#source.call("CONFIG", "GET", setting)) as unknown[];
    if (value === undefined) throw new Error(`it has no ${setting}: Redis 5 and later have it`);
    return String(value);
  }
}

/** Whether a cut-over has taken its role. */
function isClosed(role: Role): boolean {
  return role.kind === "replica" && sameAddress(role.master, nowhere);
}
