// Entrypoint of a Redis instance: finds out its role, starts redis-server and stays to supervise it.
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { ControlConnection } from "../quorum/control-connection.ts";
import { type Address, sameAddress } from "../runtime/address.ts";
import { startAdminServer } from "../runtime/admin-server.ts";
import { findProgram } from "../runtime/find-program.ts";
import { createLog, messageOf } from "../runtime/log.ts";
import { replaceFile } from "../runtime/replace-file.ts";
import { afterCrash } from "./after-crash.ts";
import { announcePromotion } from "./announce-promotion.ts";
import { askPeers } from "./ask-peer.ts";
import { chooseFittingRole } from "./choose-fitting-role.ts";
import { chooseRole, type StartRole } from "./choose-role.ts";
import { readCrashNotes, renderCrashMetrics } from "./crash-notes.ts";
import { isDamaged, putAside } from "./damaged-data.ts";
import { takeForcedMaster } from "./forced-master.ts";
import { type HandOverOutcome, handOver } from "./hand-over.ts";
import { takeHandOverOrders } from "./hand-over-orders.ts";
import { checkLive, checkReady, type InstanceState } from "./instance-health.ts";
import { type InstanceCounts, InstanceMetrics } from "./instance-metrics.ts";
import { joinPromoted } from "./join-promoted.ts";
import { keepWithinMemory } from "./keep-within-memory.ts";
import { judgeCopy, readBootId, readLastState, writeLastState } from "./last-state.ts";
import { hearPromotionOrders } from "./promotion-orders.ts";
import { renderRedisConf } from "./redis-conf.ts";
import { readRedisEnvironment } from "./redis-environment.ts";
import { RedisServer } from "./redis-server.ts";
import { logOldVersion } from "./redis-version-floor.ts";
import { keepAccess, readAccess, readState } from "./server-access.ts";
import { hasStoredData } from "./stored-data.ts";
import { supervise } from "./supervisor.ts";
import { lockVolume } from "./volume-lock.ts";
import { Watch } from "./watch.ts";
import { WritePause } from "./write-pause.ts";

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
  const program = findProgram("redis-server", process.env.PATH);
  logOldVersion(program, log);
  const access = readAccess(environment);
  const connect = (address: typeof self): ControlConnection =>
    new ControlConnection({ address, ...access.supervisor });

  process.umask(0o077);
  const ownDirectory = join(dataDirectory, "ha");
  mkdirSync(ownDirectory, { recursive: true });
  const lock = await lockVolume(join(ownDirectory, "lock"), process.env.PATH);
  const initialisedFile = join(ownDirectory, "initialised");
  const state: InstanceState = {
    waitingFor: "its role",
    initialised: existsSync(initialisedFile),
    othersSeen: false,
    otherMasterSeen: false,
  };

  const sentinels = environment.REDIS_SENTINELS.map((address) => connect(address));
  const others = environment.REDIS_INSTANCES.filter((address) => !sameAddress(address, self));
  const peers = others.map((address) => new ControlConnection({ address, ...access.probe }));
  // Its own server is asked on the loopback: whether the name leads back to this pod is not its question.
  const host = environment.BIND_ADDR === "0.0.0.0" ? "127.0.0.1" : environment.BIND_ADDR;
  const loopback = { address: { host, port: self.port }, provesToBe: self, ...access.supervisor };
  const own = new ControlConnection({ ...loopback, timeoutMs: 2000 });
  const heart = new ControlConnection(loopback);

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

  const lastFile = join(ownDirectory, "last.json");
  const failedFile = join(ownDirectory, "load-failed");
  const last = readLastState(lastFile);
  const bootId = readBootId();
  const damaged = existsSync(failedFile) && isDamaged(dataDirectory, process.env.PATH);
  if (damaged)
    log.error("the data on the volume are damaged: they are put aside once another instance is master");
  const forced = takeForcedMaster(environment.HA_FORCE_MASTER, self, join(ownDirectory, "forced"));
  if (forced) log.warn({ order: environment.HA_FORCE_MASTER }, "an operator makes this instance the master");
  const role: StartRole = forced
    ? { kind: "lead", reason: "HA_FORCE_MASTER" }
    : await chooseFittingRole({
        choose: () =>
          chooseRole({
            self,
            masterName,
            sentinels,
            peers,
            hasData: () => !damaged && hasStoredData(dataDirectory),
            damaged,
            copy: judgeCopy(last, bootId),
            log,
            signal: stopping.signal,
          }),
        peers,
        maxmemory: environment.REDIS_MAXMEMORY,
        policy: environment.REDIS_MAXMEMORY_POLICY,
        onRefused: (problem) => {
          state.refused = problem;
        },
        log,
        signal: stopping.signal,
      });
  if (damaged && role.kind === "follow") putAside(dataDirectory);
  const inForce = readState(access);
  const configFile = join(ownDirectory, "redis.conf");
  const conf = renderRedisConf({
    bind: environment.BIND_ADDR,
    self,
    dataDirectory,
    maxmemoryBytes: environment.REDIS_MAXMEMORY,
    maxmemoryPolicy: environment.REDIS_MAXMEMORY_POLICY,
    instanceCount: environment.REDIS_INSTANCES.length,
    extraConfig: environment.REDIS_EXTRA_CONFIG,
    password: access.supervisor.password(),
    acl: access.acl?.(),
    tls: access.tls && { files: access.tls, authClients: environment.REDIS_TLS_AUTH_CLIENTS },
    master: role.kind === "follow" ? role.master : undefined,
  });
  replaceFile(configFile, conf);
  log.info({ role }, "starting redis-server");
  server = new RedisServer(program, configFile, lock);
  state.waitingFor = undefined;
  counts.startedTo = role.kind;

  const pause = new WritePause(own);
  let handing: Promise<HandOverOutcome> | undefined;
  const handRoleOver = async (wanted?: Address): Promise<HandOverOutcome> => {
    // An operator's, which the stop has to wait for.
    await handing;
    // One of them is favoured by a setting, which a probe can't change.
    const favourable = others.map((address) => connect(address));
    handing = handOver({
      ...{ pause, self, masterName, server: own, sentinels, peers: favourable, wanted, log },
      signal: impatient.signal,
    });
    const outcome = await handing;
    handing = undefined;
    if (outcome.successor === undefined) counts.notHandedOver++;
    else counts.handedOver++;
    counts.lastPauseMs = outcome.pausedMs ?? counts.lastPauseMs;
    for (const connection of favourable) connection.close();
    return outcome;
  };
  giveUpRole = async () => {
    await handRoleOver();
  };

  let heartbeat = last?.heartbeat;
  let loaded = false;
  const note = (clean: boolean): void => {
    try {
      writeLastState(lastFile, { bootId, clean, heartbeat });
    } catch (error) {
      // A full disk is Redis' own trouble; an old note only makes this copy look older than it is.
      log.warn({ problem: messageOf(error) }, "could not note how new the data are");
    }
  };
  // Until then it is as new as the last run left it, and may be cut short once more.
  note(false);

  void keepAccess({
    access,
    inForce,
    connect: () => new ControlConnection(loopback),
    log,
    signal: stopping.signal,
  });
  const surroundings = {
    self,
    masterName,
    sentinelLogin: access.sentinel,
    server: own,
    heart,
    sentinels,
    instances: peers,
    endServer: () => server?.signal("SIGKILL"),
    log,
  };
  const watch = new Watch(surroundings);
  void supervise({
    ...surroundings,
    watch,
    onCopy: (newest) => {
      if (!loaded) rmSync(failedFile, { force: true });
      loaded = true;
      heartbeat = newest;
      note(false);
    },
    signal: stopping.signal,
  });
  void keepWithinMemory({
    self,
    instances: environment.REDIS_INSTANCES,
    server,
    own,
    peers,
    dataDirectory,
    maxmemory: environment.REDIS_MAXMEMORY,
    log,
    signal: stopping.signal,
  });
  void takeHandOverOrders({ directory: ownDirectory, handOver: handRoleOver, log, signal: stopping.signal });
  hearPromotionOrders({
    masterName,
    sentinels: environment.REDIS_SENTINELS,
    login: access.supervisor,
    onSelected: async (master) => {
      // A hand-over has paused the writes itself, and for as long as it takes.
      if (sameAddress(master, self) && handing === undefined) await pause.forHeir(stopping.signal);
    },
    onOrder: async (order) => {
      const common = { server: own, log, signal: stopping.signal };
      if (sameAddress(order.heir, self)) {
        return announcePromotion({ ...common, order, masterName, peers, sentinels });
      }
      const heir = peers.find(({ address }) => sameAddress(address, order.heir));
      return heir && joinPromoted({ ...common, pause, heir });
    },
    log,
    signal: stopping.signal,
  });
  const { code, signal } = await server.ended;
  const asked = stopping.signal.aborted;
  stopping.abort();
  if (code === 0) note(true);
  else if (!loaded && code !== null) writeFileSync(failedFile, "");
  log.info({ code, signal }, "redis-server ended");
  if (!asked && loaded) {
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
