// Entrypoint of a Redis instance: finds out its role, starts redis-server and stays to supervise it.
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { ControlConnection } from "../quorum/control-connection.ts";
import { formatAddress, sameAddress } from "../runtime/address.ts";
import { startAdminServer } from "../runtime/admin-server.ts";
import { findEngineProgram } from "../runtime/engine.ts";
import { createLog, messageOf } from "../runtime/log.ts";
import { loopbackOf } from "../runtime/loopback.ts";
import { readMoveSource } from "../runtime/move-source.ts";
import { replaceFile } from "../runtime/replace-file.ts";
import { readBackupPlan } from "./backup/backup-environment.ts";
import { BackupKeeper } from "./backup/backup-keeper.ts";
import type { BackupState } from "./backup/backup-metrics.ts";
import { neededReplicas } from "./conf/needed-replicas.ts";
import { renderRedisConf } from "./conf/redis-conf.ts";
import { readRedisEnvironment } from "./conf/redis-environment.ts";
import { keepAccess, readAccess, readState } from "./conf/server-access.ts";
import { announcePromotion } from "./failover/announce-promotion.ts";
import { nowhere } from "./failover/follow-keeping-data.ts";
import { takeHandOverOrders } from "./failover/hand-over-orders.ts";
import { joinPromoted } from "./failover/join-promoted.ts";
import { Leaving } from "./failover/leaving.ts";
import { hearPromotionOrders } from "./failover/promotion-orders.ts";
import { RoleGiver } from "./failover/role-giver.ts";
import { WritePause } from "./failover/write-pause.ts";
import { Move, notMoving } from "./move/move.ts";
import { moveFile, writeMoveNote } from "./move/move-note.ts";
import { startMove } from "./move/start-move.ts";
import { afterCrash } from "./start/after-crash.ts";
import { askPeers } from "./start/ask-peer.ts";
import { CopyNote } from "./start/copy-note.ts";
import { readCrashNotes, renderCrashMetrics } from "./start/crash-notes.ts";
import { findModules } from "./start/find-modules.ts";
import { findRole } from "./start/find-role.ts";
import { judgeCopy, readBootId, readLastState } from "./start/last-state.ts";
import { logOldVersion } from "./start/redis-version-floor.ts";
import { removeCopies } from "./start/remove-copies.ts";
import { heedRestartOrders, whileFenced } from "./start/standing-orders.ts";
import { lockVolume } from "./start/volume-lock.ts";
import { checkLive, checkReady, type InstanceState } from "./supervise/instance-health.ts";
import { type InstanceCounts, InstanceMetrics } from "./supervise/instance-metrics.ts";
import { HeartbeatKeeper } from "./supervise/keep-heartbeat.ts";
import { keepWithinMemory } from "./supervise/keep-within-memory.ts";
import { RedisServer } from "./supervise/redis-server.ts";
import { supervise } from "./supervise/supervisor.ts";
import { Watch } from "./supervise/watch.ts";

const log = createLog("redis", process.env.LOG_LEVEL);
const stopping = new AbortController();
let server: RedisServer | undefined;
/** Gives the master's role to another instance; undefined: there is nothing to give. */
let giveUpRole: (() => Promise<void>) | undefined;
const impatient = new AbortController();

process.on("SIGTERM", () => void stop());
// Everything stops, or somebody is impatient: nobody is left to hand the role to, or it isn't waited for.
process.on("SIGINT", () => void stop({ handOver: false }));

async function stop({ handOver = true } = {}): Promise<void> {
  // The second signal doesn't wait either.
  if (!handOver || stopping.signal.aborted) impatient.abort();
  log.info({ handOver: !impatient.signal.aborted }, "stopping");
  stopping.abort();
  if (!impatient.signal.aborted) await giveUpRole?.();
  server?.signal("SIGTERM");
}

async function main(): Promise<void> {
  const environment = readRedisEnvironment(process.env);
  const { REDIS_SELF: self, REDIS_DATA_DIR: dataDirectory, MASTER_NAME: masterName } = environment;
  const quorum = environment.REDIS_DURABILITY === "quorum";
  const program = findEngineProgram(environment.REDIS_ENGINE, "server", process.env.PATH);
  logOldVersion(program, log);
  const modules = findModules(environment.REDIS_MODULES, environment.REDIS_ENGINE);
  const access = readAccess(environment);
  const connect = (address: typeof self): ControlConnection =>
    new ControlConnection({ address, ...access.supervisor });

  process.umask(0o077);
  const persistent = environment.REDIS_PERSISTENCE === "aof";
  if (!persistent) removeCopies(dataDirectory);
  const ownDirectory = join(dataDirectory, "ha");
  mkdirSync(ownDirectory, { recursive: true });
  const lock = await lockVolume(join(ownDirectory, "lock"), process.env.PATH);
  const initialisedFile = join(ownDirectory, "initialised");
  const leaving = new Leaving();
  const state: InstanceState = {
    waitingFor: "its role",
    // Without a volume nothing remembers that; the first start of all is told by the others, who don't answer.
    initialised: !persistent || existsSync(initialisedFile),
    othersSeen: false,
    otherMasterSeen: false,
    leaving,
  };

  const sentinels = environment.REDIS_SENTINELS.map((address) => connect(address));
  const others = environment.REDIS_INSTANCES.filter((address) => !sameAddress(address, self));
  const peers = others.map((address) => new ControlConnection({ address, ...access.probe }));
  // Its own server is asked on the loopback: whether the name leads back to this pod is not its question.
  const host = loopbackOf(environment.BIND_ADDR);
  const loopback = { address: { host, port: self.port }, provesToBe: self, ...access.supervisor };
  const own = new ControlConnection({ ...loopback, timeoutMs: 2000 });
  const heart = new ControlConnection(loopback);

  const backups = readBackupPlan(environment);
  const source = readMoveSource(environment);
  const backupState: BackupState = { failures: 0, failing: false };
  const crashFile = join(ownDirectory, "crashes.json");
  const counts: InstanceCounts = {
    handedOver: 0,
    notHandedOver: 0,
    lastPauseMs: undefined,
    startedTo: "not yet",
  };
  const metrics = new InstanceMetrics({
    ...{ self, masterName, dataDirectory, counts },
    server: new ControlConnection(loopback),
    sentinels: environment.REDIS_SENTINELS.map((address) => connect(address)),
    certificate: access.tls?.path("cert"),
    backups: backups && backupState,
    isMoving: () => state.moving?.isFollowing ?? false,
  });
  await startAdminServer({
    host: environment.BIND_ADDR,
    port: environment.REDIS_ADMIN_PORT,
    live: () => checkLive(state, () => own.call("PING")),
    ready: async () => {
      const health = await checkReady(
        state,
        () => own.call("INFO", "replication"),
        () => askPeers(peers),
      );
      if (state.initialised && !existsSync(initialisedFile)) writeFileSync(initialisedFile, "");
      return health;
    },
    metrics: async () => (await metrics.render()) + renderCrashMetrics(readCrashNotes(crashFile)),
  });

  void heedRestartOrders({
    directory: ownDirectory,
    stop: () => void stop(),
    log,
    signal: stopping.signal,
  });
  await whileFenced({
    directory: ownDirectory,
    onFenced: () => {
      state.refused = "fenced by an operator";
    },
    log,
    signal: stopping.signal,
  });
  state.refused = undefined;

  const lastFile = join(ownDirectory, "last.json");
  const failedFile = join(ownDirectory, "load-failed");
  const last = readLastState(lastFile);
  const bootId = readBootId();
  const copy = judgeCopy(last, bootId, others);
  const starting = {
    ...{ directory: ownDirectory, program, peers, log },
    onWaiting: (waiting: { readonly for?: string; readonly refused?: string | undefined }): void => {
      state.waitingFor = waiting.for ?? state.waitingFor;
      state.refused = waiting.refused;
    },
    signal: stopping.signal,
  };
  const maxmemoryBytes = environment.REDIS_MAXMEMORY;
  const followed = await startMove({ ...starting, source, dataDirectory, maxmemoryBytes });
  const { role, forced } =
    followed === undefined
      ? await findRole({
          ...starting,
          ...{ environment, failedFile, copy, sentinels, backups, initialised: state.initialised },
        })
      : { role: { kind: "follow", master: followed.address } as const, forced: false };
  const inForce = readState(access);
  const configFile = join(ownDirectory, "redis.conf");
  const conf = renderRedisConf({
    bind: environment.BIND_ADDR,
    self,
    dataDirectory,
    maxmemoryBytes,
    maxmemoryPolicy: environment.REDIS_MAXMEMORY_POLICY,
    instanceCount: environment.REDIS_INSTANCES.length,
    fsync: environment.REDIS_FSYNC,
    neededReplicas: neededReplicas(environment.REDIS_INSTANCES.length, quorum),
    persistent,
    modules,
    extraConfig: environment.REDIS_EXTRA_CONFIG,
    password: access.supervisor.password(),
    acl: access.acl?.(),
    tls: access.tls && { files: access.tls, authClients: environment.REDIS_TLS_AUTH_CLIENTS },
    // The supervisor has it follow that one as soon as it is certain that nothing is lost by that.
    master: role.kind === "follow" ? (quorum ? nowhere : role.master) : undefined,
    ...(followed === undefined
      ? {}
      : { masterLogin: { username: followed.username, password: followed.password() } }),
  });
  replaceFile(configFile, conf);
  log.info({ role }, "starting redis-server");
  server = new RedisServer(program, configFile, lock);
  state.waitingFor = undefined;
  counts.startedTo = role.kind;

  // With a quorum it follows nobody yet, and has all that it had when it led.
  const ledLast = quorum && copy.ledIn !== undefined;
  const note = new CopyNote({
    file: lastFile,
    begin: {
      bootId,
      heartbeat: last?.heartbeat,
      followed: role.kind === "follow" && !ledLast ? role.master : undefined,
      led: ledLast,
    },
    ...{ others, log },
  });
  const pause = new WritePause(own);
  const giver = new RoleGiver({
    ...{ pause, self, masterName, server: own, sentinels, connect, others, quorum, log },
    onFollowing: (successor) => note.following(successor),
    onOutcome: ({ successor, pausedMs }) => {
      if (successor === undefined) counts.notHandedOver++;
      else counts.handedOver++;
      counts.lastPauseMs = pausedMs ?? counts.lastPauseMs;
    },
    signal: impatient.signal,
  });
  giveUpRole = async () => {
    await giver.give();
  };

  void keepAccess({
    access,
    inForce,
    connect: () => new ControlConnection(loopback),
    log,
    signal: stopping.signal,
  });
  const move =
    source &&
    new Move({
      ...{ self, source, own, peers, replica: access.replica, log },
      note: (state) =>
        writeMoveNote(join(ownDirectory, moveFile), { source: formatAddress(source.address), state }),
      following: followed !== undefined,
      agreement: () => watch.agreement,
      onFollowing: (master) => note.following(master),
      signal: stopping.signal,
    });
  state.moving = move;
  void move?.keep();
  const surroundings = {
    self,
    masterName,
    sentinelLogin: access.sentinel,
    server: own,
    heart,
    sentinels,
    instances: peers,
    quorum,
    copy,
    endServer: () => server?.signal("SIGKILL"),
    leaving,
    moving: move,
    log,
  };
  const watch = new Watch(surroundings);
  const heartbeats = new HeartbeatKeeper({
    heart,
    vouched: forced && quorum,
    writtenThrough: environment.REDIS_FSYNC === "always",
    onCopy: (...copy) => {
      if (!note.hasLoaded) rmSync(failedFile, { force: true });
      note.copy(...copy);
    },
    log,
  });
  void supervise({ ...surroundings, watch, heartbeat: heartbeats, signal: stopping.signal });
  let verifier: ChildProcess | undefined;
  if (backups !== undefined) {
    const keeper = new BackupKeeper({
      plan: backups,
      ...{ self, instances: environment.REDIS_INSTANCES, server: own, program, directory: ownDirectory },
      source: { address: loopback.address, provesToBe: self, login: access.replica },
      agreedMaster: () => (watch.agreement.kind === "agreed" ? watch.agreement.master : undefined),
      state: backupState,
      onVerifier: (child) => {
        verifier = child;
      },
      log,
      signal: stopping.signal,
    });
    void keeper.run();
  }
  void keepWithinMemory({
    self,
    instances: environment.REDIS_INSTANCES,
    server,
    own,
    peers,
    dataDirectory,
    persistent,
    maxmemory: environment.REDIS_MAXMEMORY,
    endVerifier: () =>
      verifier?.exitCode === null && verifier.signalCode === null && verifier.kill("SIGKILL"),
    log,
    signal: stopping.signal,
  });
  void takeHandOverOrders({
    directory: ownDirectory,
    handOver: (wanted) => giver.give(wanted),
    cutOver: async () => (await move?.cutOver()) ?? notMoving,
    leave: (staying, forMs) =>
      leaving.begin(staying, forMs, { self, server: own, handOver: (wanted) => giver.give(wanted), log }),
    log,
    signal: stopping.signal,
  });
  hearPromotionOrders({
    masterName,
    sentinels: environment.REDIS_SENTINELS,
    login: access.supervisor,
    onSelected: async (master) => {
      if (sameAddress(master, self) && !giver.isGiving) await pause.forHeir(stopping.signal);
    },
    onOrder: async (order) => {
      const common = { server: own, log, signal: stopping.signal };
      if (sameAddress(order.heir, self)) {
        const onPromoted = (epoch: number): Promise<void> => heartbeats.promoted(epoch, stopping.signal);
        return announcePromotion({ ...common, order, masterName, peers, sentinels, onPromoted });
      }
      const heir = peers.find(({ address }) => sameAddress(address, order.heir));
      if (heir === undefined) return;
      if (!(await joinPromoted({ ...common, pause, heir, quorum, past: watch.past }))) return;
      note.following(heir.address);
      watch.hasJoined();
    },
    log,
    signal: stopping.signal,
  });
  const { code, signal } = await server.ended;
  const asked = stopping.signal.aborted;
  stopping.abort();
  if (code === 0) note.ended();
  else if (!note.hasLoaded && code !== null) writeFileSync(failedFile, "");
  log.info({ code, signal }, "redis-server ended");
  if (!asked && note.hasLoaded && move?.isFollowing !== true) {
    const attached = watch.lastLead?.replicas;
    const common = { self, masterName, sentinels, peers, log, signal: impatient.signal };
    await afterCrash({ ...common, file: crashFile, attached });
  }
  // 128 + n is how a shell tells death by a signal.
  process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

main()
  .catch((error: unknown) => {
    if (stopping.signal.aborted && server === undefined) return;
    log.fatal(messageOf(error));
    process.exitCode = 1;
  })
  // Without its server it has nothing to do: a question that still waits for an answer must not keep the container.
  .finally(() => process.exit());
