import type { Logger } from "pino";
import { type Health, startAdminServer } from "../runtime/admin-server.ts";
import { messageOf } from "../runtime/log.ts";
import { readMoveSource } from "../runtime/move-source.ts";
import { readPassword } from "../runtime/password-file.ts";
import { TlsFiles } from "../runtime/tls-files.ts";
import type { ProxyEnvironment } from "./environment.ts";
import { OrderlyStop } from "./orderly-stop.ts";
import { ProxyServer } from "./proxy-server.ts";
import { answerSentinel } from "./sentinel-api/answer-sentinel.ts";
import { checkPassword } from "./sentinel-api/check-password.ts";
import { aclFileReader, checkUser } from "./sentinel-api/check-user.ts";
import { SentinelApiServer } from "./sentinel-api/sentinel-api-server.ts";
import { ViewSource } from "./sentinel-api/view-source.ts";
import { sessionLimits } from "./session/session-host.ts";
import { stopSignals, WorkerChannel } from "./workers/worker-channel.ts";

/**
 * Runs the data path and the Sentinel API in this process, until a signal says that it is to end.
 *
 * @throws {Error} when a port is taken.
 */
export async function runProxy(environment: ProxyEnvironment, log: Logger): Promise<void> {
  // One of several: they listen on the same ports, and share the bounds of the whole proxy.
  const worker = WorkerChannel.ofThisProcess();
  const share = (bound: number): number => Math.ceil(bound / environment.PROXY_WORKERS);
  const reusePort = worker !== undefined;
  const password = (): string | undefined => readPassword(environment.REDIS_PASSWORD_FILE);
  const tlsIn = (directory: string | undefined): TlsFiles | undefined =>
    directory === undefined ? undefined : new TlsFiles(directory);
  const clientTls = tlsIn(environment.PROXY_TLS_DIR);
  const report = (error: unknown): void => log.error(messageOf(error));
  const proxy = new ProxyServer({
    host: environment.BIND_ADDR,
    port: environment.PROXY_PORT,
    reusePort,
    maxClients: share(environment.PROXY_MAX_CLIENTS),
    maxDedicated: share(environment.PROXY_MAX_DEDICATED),
    holdTimeoutMs: environment.PROXY_HOLD_TIMEOUT_MS,
    limits: sessionLimits(environment.PROXY_MEMORY, environment.PROXY_WORKERS),
    ...(environment.PROXY_DURABILITY !== "async"
      ? {
          durabilityTimeoutMs: environment.PROXY_DURABILITY_TIMEOUT_MS,
          durabilityReplicas: environment.PROXY_DURABILITY_REPLICAS,
          // With the master they are a majority.
          ...(environment.PROXY_DURABILITY === "quorum"
            ? { quorumReplicas: Math.ceil(environment.PROXY_DURABILITY_REPLICAS / 2) }
            : {}),
        }
      : {}),
    allowedCommands: new Set(environment.PROXY_ALLOW_COMMANDS),
    sentinels: environment.REDIS_SENTINELS,
    masterName: environment.MASTER_NAME,
    username: environment.REDIS_USERNAME,
    password,
    serverTls: tlsIn(environment.REDIS_TLS_DIR),
    moveSource: readMoveSource(environment),
    clientTls,
    log,
    answerSentinel:
      environment.PROXY_SENTINEL_PORT === undefined
        ? undefined
        : (args) => answerSentinel(args, apiViews.view()),
  });
  const { watcher } = proxy;
  const apiViews = new ViewSource({
    masterName: environment.MASTER_NAME,
    announced: environment.PROXY_ANNOUNCE,
    announcedSentinel: {
      host: environment.PROXY_ANNOUNCE.host,
      port: environment.PROXY_SENTINEL_PORT ?? environment.PROXY_ANNOUNCE.port,
    },
    sentinelCount: environment.REDIS_SENTINELS.length,
    holdTimeoutMs: environment.PROXY_HOLD_TIMEOUT_MS,
    sentinelViews: () => watcher.views,
    now: () => performance.now(),
  });
  watcher.on("change", (state) => apiViews.observe(state));

  const drain = async (signal: NodeJS.Signals): Promise<void> => {
    log.info({ signal, clients: proxy.clients }, "draining");
    const force = setTimeout(() => void proxy.stop(), environment.PROXY_DRAIN_TIMEOUT_MS);
    sentinelApi?.publishSwitchMaster();
    await Promise.all([sentinelApi?.close(), proxy.drain()]);
    clearTimeout(force);
    await proxy.stop();
    admin.close();
    log.info("drained");
  };
  const stop = new OrderlyStop({
    delayMs: environment.PROXY_STOP_DELAY_MS,
    drain,
    abort: () => process.exit(1),
  });

  // Ready while it holds clients, too: another proxy would not find a master sooner. And for as long as it takes clients: where
  // all proxies are about to end, Kubernetes sends new ones to those that still say so.
  const ready = (): Health => {
    if (stop.draining) return { problem: "draining" };
    if (proxy.everFollowed) return true;
    return {
      problem: watcher.state.kind === "searching" ? `no master yet: ${watcher.state.reason}` : "starting",
    };
  };
  // The process that has started a worker answers for it.
  worker?.serve({ ready, metrics: proxy.metrics.collect });
  const { BIND_ADDR: host, PROXY_ADMIN_PORT: port } = environment;
  const admin =
    worker ??
    (await startAdminServer({ host, port, live: () => true, ready, metrics: proxy.metrics.render }));
  const sentinelApi =
    environment.PROXY_SENTINEL_PORT === undefined
      ? undefined
      : new SentinelApiServer({
          host: environment.BIND_ADDR,
          port: environment.PROXY_SENTINEL_PORT,
          reusePort,
          maxClients: share(environment.PROXY_MAX_CLIENTS),
          tls: clientTls,
          view: () => apiViews.view(),
          authenticate:
            environment.PROXY_CLIENTS_ACL_FILE !== undefined
              ? checkUser(
                  aclFileReader(environment.PROXY_CLIENTS_ACL_FILE, environment.PROXY_USER_PASSWORDS_DIR),
                  report,
                )
              : environment.REDIS_PASSWORD_FILE === undefined
                ? undefined
                : checkPassword(password, report),
          redisVersion: () => proxy.serverVersion,
          report,
        });
  await sentinelApi?.listen();
  await proxy.start();
  log.info({ port: environment.PROXY_PORT, sentinels: environment.REDIS_SENTINELS.length }, "listening");

  const onSignal = (signal: NodeJS.Signals): void => {
    log.info({ signal }, "asked to end");
    stop.signal(signal).catch((error: unknown) => log.error(messageOf(error)));
  };
  if (worker !== undefined) worker.onSignal(onSignal);
  else for (const signal of stopSignals) process.on(signal, onSignal);
}
