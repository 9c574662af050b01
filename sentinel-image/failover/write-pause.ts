import { setTimeout as delay } from "node:timers/promises";
import { askRole } from "../../quorum/ask-role.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";

const pingPeriod = "repl-ping-replica-period";
/** Seconds; longer than any pause. */
const never = 3600;

/**
 * How long a master is paused for the replica that is to replace it, ms. It ends by itself when nobody is promoted. Shorter than the shortest
 * `downAfterMs`: a paused master doesn't answer the Sentinels either, since they publish there.
 */
const heirPauseMs = 400;

/**
 * Stops everything that a master sends to its replicas, so that the one that is about to be promoted has it all: clients' writes, the Sentinels'
 * messages (`PUBLISH` is replicated), and the master's own `PING`, which `CLIENT PAUSE` doesn't stop. A replica that had one more of them than
 * the promoted one would have to copy everything anew.
 */
export class WritePause {
  readonly #server: ControlConnection;
  /** What is set when nothing is paused, s; undefined: nothing is. */
  #usualPeriod: string | undefined;

  constructor(server: ControlConnection) {
    this.#server = server;
  }

  /** @param ms when writes go on by themselves; clients are served again even if this process has died. */
  async begin(ms: number): Promise<void> {
    const [, period] = await Promise.all([
      this.#server.call("CLIENT", "PAUSE", ms, "WRITE"),
      this.#server.call("CONFIG", "GET", pingPeriod),
    ]);
    this.#usualPeriod ??= String((period as unknown[])[1]);
    await this.#server.call("CONFIG", "SET", pingPeriod, never);
  }

  /** Lets everything go on. Does nothing when nothing is paused. */
  async end(): Promise<void> {
    if (this.#usualPeriod === undefined) return;
    await Promise.all([
      this.#server.call("CLIENT", "UNPAUSE"),
      this.#server.call("CONFIG", "SET", pingPeriod, this.#usualPeriod),
    ]);
    this.#usualPeriod = undefined;
  }

  /**
   * Lets a master that runs, and is going to be replaced by a replica, take no more writes: a person has said `SENTINEL FAILOVER`. Whatever it took
   * now would be lost, and one heartbeat alone makes all its replicas copy everything from the new master, which has one less.
   *
   * @param signal the instance is told to stop: then it is the hand-over's pause.
   */
  async forHeir(signal: AbortSignal): Promise<void> {
    if ((await askRole(this.#server)).kind !== "master") return;
    await this.begin(heirPauseMs);
    await delay(heirPauseMs, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await this.end();
  }
}
