import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import type { Logger } from "pino";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { type Address, sameAddress } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import { parseInfo } from "../start/ask-peer.ts";
import { every } from "../supervise/every.ts";
import { applyRetention, findBackup, isGood, readCatalog } from "./backup-catalog.ts";
import type { BackupPlan } from "./backup-environment.ts";
import type { BackupState } from "./backup-metrics.ts";
import { answerBackupOrder, type BackupAnswer, takeBackupOrder } from "./backup-orders.ts";
import { readSchedule, type Schedule } from "./backup-schedule.ts";
import { bytesOf, type Manifest, writeManifest } from "./manifest.ts";
import type { ObjectStore } from "./object-store.ts";
import { type BackupObservation, isDue, takesBackup } from "./plan-backup.ts";
import type { SnapshotSource } from "./snapshot.ts";
import { takeBackup } from "./take-backup.ts";
import { TurnMarks } from "./turn-marks.ts";
import { verificationRoom } from "./verification-room.ts";
import { type Verification, verifyBackup } from "./verify-backup.ts";

export interface BackupKeeperOptions {
  readonly plan: BackupPlan;
  readonly self: Address;
  /** All instances, in the order of their numbers. */
  readonly instances: readonly Address[];
  /** This instance's own server, for questions, and as a replica sees it. */
  readonly server: ControlConnection;
  readonly source: SnapshotSource;
  /** The folder `ha` of its volume. */
  readonly directory: string;
  /** Path of redis-server. */
  readonly program: string;
  /** Whom the Sentinels name; undefined: they don't agree. */
  readonly agreedMaster: () => Address | undefined;
  readonly state: BackupState;
  /** Told the server that loads a backup: it may be ended at any moment. */
  readonly onVerifier: (server: ChildProcess) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const lookEveryMs = 1000;
const catalogEveryMs = 600_000;
const storeEveryMs = 10_000;
/** A backup that takes longer is given up, ms. */
const longestMs = 6 * 3600_000;
/** How much later than its time a backup may be there before that is worth an alert, ms. */
const lateness = { least: 600_000, most: 6 * 3600_000 } as const;

/** Takes backups when it is this instance's turn, or ordered, and verifies them. */
export class BackupKeeper {
  readonly #options: BackupKeeperOptions;
  readonly #schedule: Schedule | undefined;
  readonly #name: string;
  readonly #marks: TurnMarks;
  readonly #sinceMs = Date.now();
  #catalogAtMs = Number.NEGATIVE_INFINITY;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #failedMs: number | undefined;

  /** @throws {Error} when the schedule is none. */
  constructor(options: BackupKeeperOptions) {
    this.#options = options;
    const { schedule } = options.plan;
    this.#schedule = schedule === undefined ? undefined : readSchedule(schedule);
    this.#name = `redis-instance-${options.instances.findIndex((address) => sameAddress(address, options.self)) + 1}`;
    this.#marks = new TurnMarks(this.#name);
  }

  async run(): Promise<void> {
    const { log, signal, directory } = this.#options;
    // Left behind by an earlier run: nobody waits for it any more.
    takeBackupOrder(directory);
    const job = (): Promise<void> => this.#look();
    await every({ what: "looking after backups", ms: lookEveryMs, job, log, signal });
  }

  async #look(): Promise<void> {
    const { directory } = this.#options;
    const order = takeBackupOrder(directory);
    if (order !== undefined) return this.#carryOut(order);
    if (performance.now() - this.#catalogAtMs > catalogEveryMs) await this.#readCatalog();
    // The store is asked only when all else speaks for it, and not all the time while another instance is at it, or while it doesn't answer.
    if (performance.now() - this.#askedAtMs < storeEveryMs || !takesBackup(await this.#observe(false)))
      return;
    this.#askedAtMs = performance.now();
    const { store } = this.#options.plan.open();
    await this.#readCatalog(store);
    const observation = await this.#observe(await this.#marks.othersAtIt(store));
    if (isDue(observation) && takesBackup(observation)) await this.#make();
  }

  async #observe(othersAtIt: boolean): Promise<BackupObservation> {
    const nowMs = Date.now();
    const observation = {
      nowMs,
      dueMs: this.#schedule?.before(nowMs),
      newestMs: this.#options.state.newest?.createdMs,
      sinceMs: this.#sinceMs,
      othersAtIt,
      failures: this.#failures,
      failedMs: this.#failedMs,
      rank: 0,
    };
    return { ...observation, rank: isDue(observation) ? await this.#rank() : undefined };
  }

  /** Undefined: it leads, isn't in sync, or makes another copy of its data just now. */
  async #rank(): Promise<number | undefined> {
    const { self, instances, server, agreedMaster } = this.#options;
    const master = agreedMaster();
    if (master === undefined || sameAddress(master, self)) return undefined;
    const info = parseInfo(String(await server.call("INFO")));
    const inSync = info.get("role") === "slave" && info.get("master_link_status") === "up";
    const busy = info.get("aof_rewrite_in_progress") === "1" || info.get("rdb_bgsave_in_progress") === "1";
    if (!inSync || busy || info.get("slave_priority") === "0") return undefined;
    const others = instances.filter((address) => !sameAddress(address, master));
    return others.findIndex((address) => sameAddress(address, self));
  }

  async #readCatalog(store: ObjectStore = this.#options.plan.open().store): Promise<void> {
    const { state } = this.#options;
    this.#catalogAtMs = performance.now();
    const catalog = await readCatalog(store);
    const found = catalog.backups.some(isGood) ? findBackup(catalog, "latest") : undefined;
    if (found === undefined) delete state.newest;
    else {
      const { createdMs, verified } = found.manifest;
      state.newest = { createdMs, bytes: found.bytes, verified: verified?.ok };
    }
    state.dueMs = this.#dueMs(found?.manifest.createdMs ?? this.#sinceMs);
  }

  #dueMs(fromMs: number): number | undefined {
    const next = this.#schedule?.after(fromMs);
    if (next === undefined) return undefined;
    const gap = (this.#schedule?.after(next) ?? next) - next;
    return next + Math.min(lateness.most, Math.max(lateness.least, gap));
  }

  /** An operator's. */
  async #carryOut(order: string): Promise<void> {
    const { directory } = this.#options;
    let answer: BackupAnswer = { order, phase: "taking", bytes: 0, id: "", detail: "", verified: null };
    let toldMs = 0;
    const tell = (more: Partial<BackupAnswer>): void => {
      const quietly = more.phase === undefined && performance.now() - toldMs < 500;
      answer = { ...answer, ...more };
      if (quietly) return;
      toldMs = performance.now();
      answerBackupOrder(directory, answer);
    };
    tell({ phase: "taking" });
    await this.#make(tell);
  }

  /** Takes a backup, verifies it, and lets those go that are kept no longer. Failures are told and counted. */
  async #make(tell: (more: Partial<BackupAnswer>) => void = () => undefined): Promise<void> {
    const { plan, state, log } = this.#options;
    const begin = performance.now();
    try {
      const opened = plan.open();
      const { store } = opened;
      const manifest = await this.#marks.during(store, () => this.#takeAndVerify(opened, tell));
      state.durationMs = performance.now() - begin;
      const { verified } = manifest;
      if (verified?.ok === false) throw new Error(`backup ${manifest.id} is no good: ${verified.detail}`);
      this.#failures = 0;
      this.#failedMs = undefined;
      state.failing = false;
      const { removed } = await applyRetention(store, plan.retention);
      log.info(
        {
          id: manifest.id,
          bytes: bytesOf(manifest),
          ms: Math.round(state.durationMs),
          verified: verified?.ok,
          removed,
        },
        "backup made",
      );
      await this.#readCatalog(store);
      tell({ phase: "done", verified: verified?.ok ?? null });
    } catch (error) {
      this.#failures++;
      this.#failedMs = Date.now();
      state.failures++;
      state.failing = true;
      log.error({ problem: messageOf(error) }, "the backup failed: earlier ones stay as they are");
      tell({ phase: "failed", detail: messageOf(error) });
    }
  }

  async #takeAndVerify(
    { store, cipher }: ReturnType<BackupPlan["open"]>,
    tell: (more: Partial<BackupAnswer>) => void,
  ): Promise<Manifest> {
    const { plan, server, source, program, onVerifier, log } = this.#options;
    const signal = AbortSignal.any([this.#options.signal, AbortSignal.timeout(longestMs)]);
    const manifest = await takeBackup({
      ...{ store, cipher, server, source, signal },
      instance: this.#name,
      bytesPerSecond: plan.bytesPerSecond,
      onProgress: (bytes) => tell({ bytes }),
    });
    const room = await verificationRoom(server);
    if (room.problem !== undefined || !cipher.decrypts) {
      const detail = room.problem ?? "the key here only encrypts";
      log.warn(
        { id: manifest.id, problem: detail },
        "not verified here: redis-ha backup verify does it elsewhere",
      );
      tell({ id: manifest.id, detail: `not verified in the pod: ${detail}` });
      return manifest;
    }
    tell({ phase: "verifying", id: manifest.id });
    const onServer = (child: ChildProcess): void => {
      yieldToAll(child);
      onVerifier(child);
    };
    let verified: Verification;
    try {
      verified = await verifyBackup({ store, manifest, cipher, program, onServer, signal });
    } catch (error) {
      if (signal.aborted) throw error;
      const detail = `not verified: ${messageOf(error)}`;
      log.warn(
        { id: manifest.id, problem: messageOf(error) },
        "the backup is stored, and couldn't be verified",
      );
      tell({ detail });
      return manifest;
    }
    tell({ detail: verified.detail });
    const judged = { ...manifest, verified };
    await writeManifest(store, judged, { signal });
    return judged;
  }
}

/** When something has to wait or to end, it is the server that only verifies. */
function yieldToAll({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, 10);
    writeFileSync(`/proc/${pid}/oom_score_adj`, "1000");
  } catch {
    // It has ended, or this isn't Linux.
  }
}
