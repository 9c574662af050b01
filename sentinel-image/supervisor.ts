import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { Agreement, SentinelView } from "../quorum/agreement.ts";
import { askRole, isBusy, type Role } from "../quorum/ask-role.ts";
import { askSentinels } from "../quorum/ask-sentinel.ts";
import type { ControlConnection } from "../quorum/control-connection.ts";
import { PatientAgreement } from "../quorum/patient-agreement.ts";
import { type Address, formatAddress, sameAddress } from "../runtime/address.ts";
import { messageOf } from "../runtime/log.ts";
import { askForFailover } from "./choose-role.ts";
import { findTrouble } from "./decide-start.ts";
import { GhostHunt } from "./forget-ghosts.ts";
import { askHeartbeat, beat, type Heartbeat } from "./heartbeat.ts";
import {
  askLeaderless,
  canWrite,
  isMaster,
  isOrphaned,
  readPriority,
  type Surroundings,
} from "./look-around.ts";
import { isStalled, ordinaryPriority, planSupervision, type SupervisionAction } from "./plan-supervision.ts";
import { findOddSentinel, repairSentinel } from "./repair-sentinel.ts";
import { type LinkedOffset, lookAtStream } from "./replication-stream.ts";
import { applySentinelTimers } from "./sentinel-timers.ts";
import type { Login } from "./server-access.ts";
import { askCpuSeconds, dropSentinelLinks, SpinDetector } from "./spinning-sentinels.ts";

/** What {@link supervise} works with. */
export interface SupervisorOptions extends Surroundings {
  readonly masterName: string;
  /** As whom the Sentinels come to Redis. */
  readonly sentinelLogin: Login;
  /** This instance's own server. */
  readonly server: ControlConnection;
  /** Another connection to it, for the heartbeat: a paused server leaves it without an answer, and only it. */
  readonly heart: ControlConnection;
  readonly sentinels: readonly ControlConnection[];
  /** Ends this instance's server, which can't be asked to. */
  readonly endServer: () => void;
  /** Told in each round how new this instance's copy is; not while that can't be said. */
  readonly onCopy: (heartbeat: Heartbeat | undefined) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const roundMs = 500;

/** 3 s after the first `BUSY`. A script that has changed nothing the Sentinels have ended by then. */
const busyPatienceRounds = 6;

/** Watches over a running instance, every 500 ms until `signal`. A round that fails is logged, the next one goes on. */
export async function supervise(options: SupervisorOptions): Promise<void> {
  const { signal, log } = options;
  const patient = new PatientAgreement();
  const detectors = options.sentinels.map(() => new SpinDetector());
  const ghosts = new GhostHunt(options);
  let memory = firstRound;
  let lastProblem = "";
  while (!signal.aborted) {
    try {
      memory = await round(options, memory, patient);
      await ghosts.round(memory.views, memory.agreement);
      await calmSentinels(options, detectors, memory.leads);
      lastProblem = "";
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== lastProblem && !signal.aborted) log.warn({ problem }, "a round of supervision failed");
      lastProblem = problem;
    }
    await delay(roundMs, undefined, { signal }).catch(() => undefined);
  }
}

/** What one round leaves to the next: how often in a row something was seen, above all. */
interface RoundMemory {
  readonly views: readonly SentinelView[];
  readonly agreement: Agreement;
  readonly agreed: Address | undefined;
  readonly stalledRounds: number;
  readonly orphanedRounds: number;
  readonly unlinkedRounds: number;
  readonly unwritableRounds: number;
  readonly leaderlessRounds: number;
  /** A script keeps this instance busy, and another one is the master. */
  readonly busyRounds: number;
  readonly odd: { readonly sentinel: Address; readonly rounds: number } | undefined;
  readonly linkedOffset: LinkedOffset;
  /** This instance is the agreed master. */
  readonly leads: boolean;
}

const firstRound: RoundMemory = {
  views: [],
  agreement: { kind: "none", reason: "nobody was asked yet" },
  agreed: undefined,
  stalledRounds: 0,
  orphanedRounds: 0,
  unlinkedRounds: 0,
  unwritableRounds: 0,
  leaderlessRounds: 0,
  busyRounds: 0,
  odd: undefined,
  linkedOffset: undefined,
  leads: false,
};

async function round(
  options: SupervisorOptions,
  memory: RoundMemory,
  patient: PatientAgreement,
): Promise<RoundMemory> {
  const { self, masterName, server, sentinels, log } = options;
  for (const result of await Promise.allSettled(sentinels.map(applySentinelTimers))) {
    if (result.status === "fulfilled" && result.value) log.info("set a Sentinel's timers");
  }
  const { views } = await askSentinels(sentinels, masterName);
  const agreement = patient.agree(views, { sentinelCount: sentinels.length }, performance.now());
  const agreed = agreement.kind === "agreed" ? agreement.master : undefined;
  const named = agreed !== undefined && sameAddress(agreed, self);
  const role = await askRole(server).catch((error: unknown) => {
    if (isBusy(error)) return undefined;
    throw error;
  });
  if (role === undefined) {
    const busyRounds = await lookWhileBusy(options, memory.busyRounds, views, agreement);
    return { ...firstRound, views, agreement, agreed, busyRounds };
  }
  const masterConfirmed =
    agreement.kind === "agreed" &&
    findTrouble(views, agreement) === undefined &&
    (named ? role.kind === "master" : await isMaster(options, agreement.master));
  const priority = await readPriority(server);
  const unlinked = role.kind === "replica" && !role.linkUp;
  const count = (before: number, seen: boolean): number => (seen ? before + 1 : 0);
  const orphaned =
    unlinked &&
    priority === 0 &&
    agreed !== undefined &&
    !masterConfirmed &&
    (await isOrphaned(options, agreed));
  const leaderless = named && role.kind === "replica" ? await askLeaderless(options) : undefined;
  const odd = findOddSentinel(views, agreement, sentinels.length);
  const oddRounds =
    odd && memory.odd && sameAddress(odd.sentinel, memory.odd.sentinel) ? memory.odd.rounds : 0;
  const stream = lookAtStream(role, memory.linkedOffset);
  const seen = {
    stalledRounds: count(memory.stalledRounds, isStalled(views, sentinels.length)),
    orphanedRounds: count(memory.orphanedRounds, orphaned),
    unlinkedRounds: count(memory.unlinkedRounds, unlinked && masterConfirmed),
    unwritableRounds: count(memory.unwritableRounds, !(await canWrite(server))),
    leaderlessRounds: count(memory.leaderlessRounds, leaderless !== undefined),
    odd: odd && { sentinel: odd.sentinel, rounds: oddRounds + 1 },
  };
  const actions = planSupervision({
    self,
    agreement,
    agreedBefore: agreed !== undefined && memory.agreed !== undefined && sameAddress(agreed, memory.agreed),
    role,
    masterConfirmed,
    streaming: stream.streaming,
    priority,
    ...seen,
    leaderlessPatienceRounds: Math.ceil((2 * (views[0]?.settings?.downAfterMs ?? 1000)) / roundMs),
    newest: leaderless?.newest ?? false,
  });
  for (const action of actions) await carryOut(action, options, role, views);
  const leads = named && role.kind === "master";
  await keepCopyKnown(
    options,
    role,
    leads && agreement.kind === "agreed" ? agreement.configEpoch : undefined,
  );
  return { views, agreement, agreed, ...seen, busyRounds: 0, linkedOffset: stream.linkedOffset, leads };
}

/**
 * A script that has written and doesn't end can't be killed, and this instance takes no orders meanwhile. Once another one is the master nothing
 * that the script does will ever count: its server is ended, and starts as a replica.
 *
 * @returns for how many rounds in a row it has been so.
 */
async function lookWhileBusy(
  options: SupervisorOptions,
  before: number,
  views: readonly SentinelView[],
  agreement: Agreement,
): Promise<number> {
  const replaced =
    agreement.kind === "agreed" &&
    !sameAddress(agreement.master, options.self) &&
    findTrouble(views, agreement) === undefined &&
    (await isMaster(options, agreement.master));
  if (!replaced) return 0;
  if (before + 1 === busyPatienceRounds) {
    const master = formatAddress(agreement.master);
    options.log.error(
      { master },
      "another instance is the master and a script keeps this one busy: ending it",
    );
    options.endServer();
  }
  return before + 1;
}

/** Notes how new this instance's copy is, and makes it newer on the master: `epoch` is undefined on others. */
async function keepCopyKnown(
  { heart, onCopy, log }: SupervisorOptions,
  role: Role,
  epoch: number | undefined,
): Promise<void> {
  try {
    const copy = await askHeartbeat(heart);
    // Refused while no replica is in sync. Then the clients' writes are refused, too, and the copy gets no newer.
    if (epoch === undefined || role.kind !== "master" || role.replicas.length === 0) return onCopy(copy);
    // Sentinels that have all lost their state begin at epoch 0 again.
    const heartbeat = { epoch: Math.max(epoch, copy?.epoch ?? 0), ms: Date.now() };
    // Noted first: a replica must never have a newer one than this instance says of itself after a crash.
    onCopy(heartbeat);
    await beat(heart, heartbeat);
  } catch (error) {
    log.debug({ problem: messageOf(error) }, "no heartbeat");
  }
}

/** Each instance ends the connections with itself; those between Sentinels are ended by the master. */
async function calmSentinels(
  { sentinels, server, log }: SupervisorOptions,
  detectors: readonly SpinDetector[],
  leads: boolean,
): Promise<void> {
  const answers = await Promise.allSettled(sentinels.map(askCpuSeconds));
  for (const [i, answer] of answers.entries()) {
    const sentinel = sentinels[i];
    if (answer.status === "rejected" || sentinel === undefined) continue;
    if (detectors[i]?.observe(answer.value, performance.now()) !== true) continue;
    const dropped = await dropSentinelLinks(sentinel, leads ? [server, ...sentinels] : [server]);
    log.warn({ sentinel: formatAddress(sentinel.address), dropped }, "a Sentinel was busy all the time");
  }
}

async function carryOut(
  action: SupervisionAction,
  options: SupervisorOptions,
  role: Role,
  views: readonly SentinelView[],
): Promise<void> {
  const { server, sentinels, masterName, log } = options;
  switch (action.kind) {
    case "follow":
      log.warn(
        { role: role.kind, master: formatAddress(action.master) },
        "following the master that the Sentinels agree on",
      );
      // Until its stream has begun, up to a second after a full copy, it lacks what clients write meanwhile.
      await server.call("CONFIG", "SET", "replica-priority", 0);
      await server.call("REPLICAOF", action.master.host, action.master.port);
      // Their connections believe that they talk to a master.
      if (action.dropClients) await server.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      return;
    case "allow-promotion":
      log.info({ role }, "the Sentinels may promote this instance");
      await server.call("CONFIG", "SET", "replica-priority", ordinaryPriority);
      return;
    case "forbid-promotion":
      log.warn({ reason: action.reason }, "the Sentinels must not promote this instance");
      await server.call("CONFIG", "SET", "replica-priority", 0);
      return;
    case "lead":
      log.warn("the Sentinels name this instance and nobody is master: it leads");
      await server.call("REPLICAOF", "NO", "ONE");
      return;
    case "repair-sentinel": {
      const { sentinel, master } = action;
      const wrong = sentinels.find(({ address }) => sameAddress(address, sentinel));
      const example = views.find((view) => sameAddress(view.master, master));
      if (wrong === undefined || example === undefined) return;
      log.error({ sentinel: formatAddress(sentinel) }, "a Sentinel alone names another master: repairing it");
      await repairSentinel(wrong, { masterName, master, example, login: options.sentinelLogin });
      return;
    }
    case "request-failover":
      log.warn({ role: role.kind }, "there is no master that works, and the Sentinels do nothing");
      await askForFailover(sentinels, masterName, log);
      return;
  }
}
