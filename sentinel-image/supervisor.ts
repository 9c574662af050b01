import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { type Address, formatAddress, sameAddress } from "../quorum/address.ts";
import { askRole, type Role } from "../quorum/ask-role.ts";
import { askSentinels } from "../quorum/ask-sentinel.ts";
import type { ControlConnection } from "../quorum/control-connection.ts";
import { PatientAgreement } from "../quorum/patient-agreement.ts";
import { messageOf } from "../runtime/log.ts";
import { askPeers } from "./ask-peer.ts";
import { askForFailover } from "./choose-role.ts";
import { seesTrouble } from "./decide-start.ts";
import { askHeartbeat, beat, type Heartbeat, isNewestCopy } from "./heartbeat.ts";
import { isStalled, ordinaryPriority, planSupervision, type SupervisionAction } from "./plan-supervision.ts";
import { applySentinelTimers } from "./sentinel-timers.ts";
import { askCpuSeconds, dropSentinelLinks, SpinDetector } from "./spinning-sentinels.ts";

/** What {@link supervise} works with. */
export interface SupervisorOptions {
  readonly self: Address;
  readonly masterName: string;
  /** This instance's own server. */
  readonly server: ControlConnection;
  /** Another connection to it, for the heartbeat: a paused server leaves it without an answer, and only it. */
  readonly heart: ControlConnection;
  readonly sentinels: readonly ControlConnection[];
  /** The other instances. */
  readonly instances: readonly ControlConnection[];
  /** Told in each round how new this instance's copy is; not while that can't be said. */
  readonly onCopy: (heartbeat: Heartbeat | undefined) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const roundMs = 500;

/** Watches over a running instance, every 500 ms until `signal`. A round that fails is logged, the next one goes on. */
export async function supervise(options: SupervisorOptions): Promise<void> {
  const { signal, log } = options;
  const patient = new PatientAgreement();
  const detectors = options.sentinels.map(() => new SpinDetector());
  let memory: RoundMemory = { agreed: undefined, stalledRounds: 0, orphanedRounds: 0, leads: false };
  let lastProblem = "";
  while (!signal.aborted) {
    try {
      memory = await round(options, memory, patient);
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

/** What one round leaves to the next. */
interface RoundMemory {
  readonly agreed: Address | undefined;
  readonly stalledRounds: number;
  readonly orphanedRounds: number;
  /** This instance is the agreed master. */
  readonly leads: boolean;
}

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
  const role = await askRole(server);
  const masterConfirmed =
    agreed !== undefined && !views.some(seesTrouble) && (await isMaster(options, agreed));
  const priority = await readPriority(server);
  const stalledRounds = isStalled(views, sentinels.length) ? memory.stalledRounds + 1 : 0;
  const orphaned =
    role.kind === "replica" &&
    !role.linkUp &&
    priority === 0 &&
    agreed !== undefined &&
    !masterConfirmed &&
    (await isOrphaned(options, agreed));
  const orphanedRounds = orphaned ? memory.orphanedRounds + 1 : 0;
  const actions = planSupervision({
    self,
    agreement,
    agreedBefore: agreed !== undefined && memory.agreed !== undefined && sameAddress(agreed, memory.agreed),
    role,
    masterConfirmed,
    priority,
    stalledRounds,
    orphanedRounds,
  });
  for (const action of actions) await carryOut(action, options, role);
  const leads = agreement.kind === "agreed" && sameAddress(agreement.master, self) && role.kind === "master";
  await keepCopyKnown(options, role, leads ? agreement.configEpoch : undefined);
  return { agreed, stalledRounds, orphanedRounds, leads };
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
    if (epoch === undefined || role.kind !== "master" || role.replicas === 0) return onCopy(copy);
    // Sentinels that have all lost their state begin at epoch 0 again.
    const heartbeat = { epoch: Math.max(epoch, copy?.epoch ?? 0), ms: Date.now() };
    // Noted first: a replica must never have a newer one than this instance says of itself after a crash.
    onCopy(heartbeat);
    await beat(heart, heartbeat);
  } catch (error) {
    log.debug({ problem: messageOf(error) }, "no heartbeat");
  }
}

/**
 * All instances but the missing master answer, none of them is a master or may be promoted, and none has a newer copy
 * than this one. One that doesn't answer may have a newer copy.
 */
async function isOrphaned(options: SupervisorOptions, missingMaster: Address): Promise<boolean> {
  const { self, heart, instances } = options;
  const others = instances.filter(({ address }) => !sameAddress(address, missingMaster));
  const peers = await askPeers(others);
  if (peers.length < others.length || peers.some(({ role, promotable }) => role === "master" || promotable)) {
    return false;
  }
  const [own, ...copies] = await Promise.all(
    [heart, ...others].map(async (connection) => ({
      address: connection === heart ? self : connection.address,
      heartbeat: await askHeartbeat(connection),
    })),
  );
  return own !== undefined && isNewestCopy(own, copies);
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

async function isMaster({ instances }: SupervisorOptions, address: Address): Promise<boolean> {
  const connection = instances.find((instance) => sameAddress(instance.address, address));
  if (connection === undefined) return false;
  try {
    return (await askRole(connection)).kind === "master";
  } catch {
    // Whoever doesn't answer is not a master to follow now; the next round asks again.
    return false;
  }
}

async function readPriority(server: ControlConnection): Promise<number> {
  const reply = await server.call("CONFIG", "GET", "replica-priority");
  return Array.isArray(reply) ? Number(reply[1]) : Number.NaN;
}

async function carryOut(action: SupervisionAction, options: SupervisorOptions, role: Role): Promise<void> {
  const { server, sentinels, masterName, log } = options;
  switch (action.kind) {
    case "follow":
      log.warn(
        { role: role.kind, master: formatAddress(action.master) },
        "following the master that the Sentinels agree on",
      );
      await server.call("REPLICAOF", action.master.host, action.master.port);
      // Their connections believe that they talk to a master.
      if (action.dropClients) await server.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      return;
    case "allow-promotion":
      log.info({ role }, "the Sentinels may promote this instance");
      await server.call("CONFIG", "SET", "replica-priority", ordinaryPriority);
      return;
    case "request-failover":
      log.warn("the Sentinels see the master down and do nothing");
      await askForFailover(sentinels, masterName, log);
      return;
  }
}
