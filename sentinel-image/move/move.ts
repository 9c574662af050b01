import type { Logger } from "pino";
import type { Agreement } from "../../quorum/agreement.ts";
import { askRole } from "../../quorum/ask-role.ts";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import type { MoveSource } from "../../runtime/move-source.ts";
import type { Login } from "../conf/server-access.ts";
import type { HandOverOutcome } from "../failover/hand-over.ts";
import { isMaster } from "../start/look-around.ts";
import { every } from "../supervise/every.ts";
import { type CutOverOutcome, cutOver } from "./cut-over.ts";
import { followsSource, type MoveNote } from "./move-note.ts";
import { SourceFence } from "./source-fence.ts";

export interface MoveOptions {
  readonly self: Address;
  readonly source: MoveSource;
  /** It was started as a replica of the source. */
  readonly following: boolean;
  /** Notes on the volume how far it is. @throws {Error} when that can't be written. */
  readonly note: (state: MoveNote["state"]) => void;
  readonly own: ControlConnection;
  /** The other instances. */
  readonly peers: readonly ControlConnection[];
  /** As whom this set's replicas come to their master. */
  readonly replica: Pick<Login, "username" | "password">;
  readonly agreement: () => Agreement;
  /** Told whom of this set it follows, once one of it was cut over. */
  readonly onFollowing: (master: Address) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** How soon an instance follows the one that was cut over, ms: without it that one takes no writes. */
const lookEveryMs = 100;
/** How often one that leads looks whether the source takes writes again, ms. */
const fenceEveryMs = 300;
/** All proxies have been sent away by READONLY until then, and no Sentinel calls a master down for being a replica so soon, ms. */
const closedForMs = 600;

/** Keeps an instance a replica of the Redis whose data are taken over, until one of the set is made the master in its place. */
export class Move {
  readonly #options: MoveOptions;
  readonly #foreign: ControlConnection;
  readonly #sourceFence: SourceFence;
  #following: boolean;
  #cutting = false;
  /** A cut-over was undone, and the source could not be told. */
  #reopens = false;
  /** It belongs to this set again, and that isn't noted, or its server still logs in elsewhere as at the source. */
  #unsettled = false;
  /** ms of the monotonic clock. */
  #cutAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: MoveOptions) {
    this.#options = options;
    this.#following = options.following;
    this.#foreign = new ControlConnection({ ...options.source, timeoutMs: 1000 });
    this.#sourceFence = new SourceFence(this.#foreign);
  }

  /** It is a replica of the source, whoever the Sentinels name. */
  get isFollowing(): boolean {
    return this.#following;
  }

  /** Looks after it until the `signal` of the options. */
  async keep(): Promise<void> {
    const { log, signal } = this.#options;
    const what = "the move of another Redis' data";
    await Promise.all([
      every({ what, ms: lookEveryMs, job: () => this.#look(), log, signal }),
      every({ what: "the fence of the old master", ms: fenceEveryMs, job: () => this.#fence(), log, signal }),
    ]);
    this.#foreign.close();
  }

  /** An operator's order: this instance leads from now on. */
  async cutOver(): Promise<HandOverOutcome> {
    const { self, own, source, peers, agreement, note, log } = this.#options;
    const agreed = agreement();
    if (!this.#following) return undone("this set has been cut over already");
    if (agreed.kind === "none") return undone(`the Sentinels name nobody: ${agreed.reason}`);
    if (!sameAddress(agreed.master, self))
      return undone(`the Sentinels name ${formatAddress(agreed.master)}: order it there`);
    this.#cutting = true;
    try {
      const outcome = await cutOver({
        ...{ source, own, peers, note, foreign: this.#foreign, fence: this.#sourceFence },
      });
      if (outcome.kind === "leads") {
        this.#cutAtMs = performance.now();
        await this.#belongHere();
      } else this.#reopens = !outcome.reopened;
      tell(log, outcome);
      return outcome.kind === "leads"
        ? { successor: self, reason: "cut over", pausedMs: outcome.pausedMs }
        : { successor: undefined, reason: outcome.reason, pausedMs: outcome.pausedMs };
    } catch (error) {
      this.#reopens = true;
      return undone(messageOf(error));
    } finally {
      this.#cutting = false;
    }
  }

  async #look(): Promise<void> {
    const { self, own, source, peers, agreement, onFollowing, log } = this.#options;
    if (!this.#following || this.#cutting) return;
    const role = await askRole(own);
    const agreed = agreement();
    const master = agreed.kind === "agreed" && !sameAddress(agreed.master, self) ? agreed.master : undefined;
    if (master !== undefined && (await isMaster({ instances: peers }, master))) {
      log.warn({ master: formatAddress(master) }, "another instance was cut over: following it");
      await this.#belongHere();
      await own.call("REPLICAOF", master.host, master.port);
      onFollowing(master);
      return;
    }
    const wanted = source.password() ?? "";
    const [, known] = (await own.call("CONFIG", "GET", "masterauth")) as unknown[];
    const follows = role.kind === "replica" && followsSource(role, source);
    if (follows && known === wanted) return;
    // Its password was changed, or somebody gave this instance another master.
    await logIn(own, source);
    if (!follows && !this.#cutting) await own.call("REPLICAOF", source.address.host, source.address.port);
  }

  /** The old side takes no writes any more, also when it was started again. */
  async #fence(): Promise<void> {
    const { own, source, log } = this.#options;
    if (this.#cutting) return;
    if (this.#reopens) {
      await this.#sourceFence.undo();
      this.#reopens = false;
    }
    if (this.#following) return;
    if (this.#unsettled) await this.#settle();
    if (performance.now() - this.#cutAtMs < closedForMs) return;
    if ((await askRole(own)).kind !== "master") return;
    if (await this.#sourceFence.settle())
      log.warn({ source: formatAddress(source.address) }, "the old master took writes: it is fenced again");
  }

  /** Its data are this set's own from now on: whatever fails here is done later, and takes nothing back. */
  async #belongHere(): Promise<void> {
    this.#following = false;
    this.#unsettled = true;
    await this.#settle().catch((error: unknown) =>
      this.#options.log.warn({ problem: messageOf(error) }, "cut over, and that can't be noted yet"),
    );
  }

  async #settle(): Promise<void> {
    const { own, replica, note } = this.#options;
    note("moved");
    await logIn(own, replica);
    this.#unsettled = false;
  }
}

/** As whom a server comes to its master from now on. */
async function logIn(
  server: ControlConnection,
  { username, password }: Pick<Login, "username" | "password">,
): Promise<void> {
  await server.call("CONFIG", "SET", "masteruser", username ?? "", "masterauth", password() ?? "");
}

/** What an order to cut over comes to where nothing is to be taken over. */
export const notMoving = undone("move:source is not set");

function undone(reason: string): HandOverOutcome {
  return { successor: undefined, reason, pausedMs: undefined };
}

function tell(log: Logger, outcome: CutOverOutcome): void {
  if (outcome.kind === "undone") log.warn(outcome, "not cut over: everything is as it was");
  else log.warn(outcome, "cut over: this instance leads");
}
