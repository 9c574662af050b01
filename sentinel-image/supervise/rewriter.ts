import { statfsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { messageOf } from "../../runtime/log.ts";
import { parseInfo } from "../start/ask-peer.ts";
import { isRewriteDue, planRewrite, type RewriteDecision, type RewriteView } from "./plan-rewrite.ts";

export interface RewriterOptions {
  /** This instance's own server. */
  readonly server: ControlConnection;
  /** The other instances. */
  readonly peers: readonly ControlConnection[];
  /** Place of an instance in the order of turns, the same on all of them; lower goes first. */
  readonly rankOf: (connection: ControlConnection) => number;
  readonly dataDirectory: string;
  /** Ends the server's fork. @returns whether there was one. */
  readonly endForks: () => boolean;
  readonly log: Logger;
}

const roundMs = 500;
const firstBackOffMs = 5000;
const longestBackOffMs = 60_000;
const complainEveryMs = 60_000;

/** Keeps one instance's append-only file short: starts its rewrites, and gives way to others'. */
export class Rewriter {
  readonly #options: RewriterOptions;
  #startedAt: number | undefined;
  #waitingSince: number | undefined;
  #notBefore = 0;
  #failures = 0;
  #yields = 0;
  #complainedAt = Number.NEGATIVE_INFINITY;

  constructor(options: RewriterOptions) {
    this.#options = options;
  }

  /** Looks every 500 ms until `signal`. A round that fails is done again by the next one. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // A server that loads, or stops, answers with an error.
      await this.#round().catch((error: unknown) =>
        this.#options.log.debug({ problem: messageOf(error) }, "a round of the rewriter failed"),
      );
      await delay(roundMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** A fork was ended, or has failed: the next attempt is 5 s away, after each further one twice as long, up to a minute. */
  backOff(): void {
    this.#startedAt = undefined;
    this.#notBefore = performance.now() + Math.min(longestBackOffMs, firstBackOffMs * 2 ** this.#failures);
    this.#failures++;
  }

  async #round(): Promise<void> {
    const { server, peers, rankOf, dataDirectory } = this.#options;
    const info = parseInfo(String(await server.call("INFO")));
    const own = readRewriteView(info, rankOf(server));
    const mine = this.#startedAt !== undefined;
    if (mine && !own.rewriting) this.#finished(info.get("aof_last_bgrewrite_status") === "ok");
    if (!isRewriteDue(own) && !(own.rewriting && mine)) {
      this.#waitingSince = undefined;
      return;
    }
    const now = performance.now();
    const { bavail, bsize } = statfsSync(dataDirectory);
    const views = await askRewriteViews(peers, rankOf);
    const decision = planRewrite({
      own,
      peers: views,
      silentPeers: peers.length - views.length,
      freeBytes: bavail * bsize,
      neededBytes: Number(info.get("used_memory_dataset") ?? 0),
      startedForMs: this.#startedAt === undefined ? undefined : now - this.#startedAt,
      yields: this.#yields,
      waitedMs: this.#waitingSince === undefined ? 0 : now - this.#waitingSince,
      backOffMs: this.#notBefore - now,
    });
    await this.#carryOut(decision, own, bavail * bsize);
  }

  async #carryOut(decision: RewriteDecision, own: RewriteView, freeBytes: number): Promise<void> {
    const { server, endForks, log } = this.#options;
    const { currentBytes, baseBytes, role } = own;
    this.#waitingSince = decision.kind === "wait" ? (this.#waitingSince ?? performance.now()) : undefined;
    switch (decision.kind) {
      case "none":
      case "wait":
        return;
      case "start":
        log.info(
          { currentBytes, baseBytes, role, urgent: decision.urgent },
          "rewriting the append-only file",
        );
        await server.call("BGREWRITEAOF");
        this.#startedAt = performance.now();
        return;
      case "yield":
        log.info("another instance rewrites its file, too: this one does it later");
        endForks();
        this.#startedAt = undefined;
        this.#yields++;
        this.#notBefore = performance.now() + 2 * roundMs;
        return;
      case "no-room":
        if (performance.now() - this.#complainedAt < complainEveryMs) return;
        this.#complainedAt = performance.now();
        log.error(
          { currentBytes, freeBytes },
          "the volume has no room to rewrite the append-only file: raise redis:storage",
        );
    }
  }

  #finished(well: boolean): void {
    if (!well) {
      this.#options.log.error("the append-only file could not be rewritten: redis-server's log says why");
      this.backOff();
      return;
    }
    this.#startedAt = undefined;
    this.#failures = 0;
    this.#yields = 0;
  }
}

/** What {@link planRewrite} needs of an instance's INFO. */
export function readRewriteView(info: ReadonlyMap<string, string>, rank: number): RewriteView {
  const is = (name: string): boolean => info.get(name) === "1";
  return {
    rank,
    role: info.get("role") === "master" ? "master" : "replica",
    currentBytes: Number(info.get("aof_current_size") ?? 0),
    baseBytes: Number(info.get("aof_base_size") ?? 0),
    rewriting: is("aof_rewrite_in_progress") || is("aof_rewrite_scheduled"),
    sending: is("rdb_bgsave_in_progress"),
    loading: is("loading") || is("async_loading") || is("master_sync_in_progress"),
  };
}

async function askRewriteViews(
  peers: readonly ControlConnection[],
  rankOf: (connection: ControlConnection) => number,
): Promise<RewriteView[]> {
  const answers = await Promise.allSettled(
    peers.map(async (peer) => readRewriteView(parseInfo(String(await peer.call("INFO"))), rankOf(peer))),
  );
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
}
