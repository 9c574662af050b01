// The proxy: clients use it as if it were one Redis. It finds the master, connects them to it and to nobody else.
import { MasterWatcher } from "../quorum/master-watcher.ts";
import { type Health, startAdminServer } from "../runtime/admin-server.ts";
import { createLog, messageOf } from "../runtime/log.ts";
import { readPassword } from "../runtime/password-file.ts";
import { readProxyEnvironment } from "./environment.ts";
import { FailoverLog } from "./failover-log.ts";
import { createMetrics } from "./metrics.ts";
import { checkPassword } from "./sentinel-api/check-password.ts";
import { SentinelApiServer } from "./sentinel-api/sentinel-api-server.ts";
import { ViewSource } from "./sentinel-api/view-source.ts";
import { TcpRelay } from "./tcp-relay.ts";

const log = createLog("proxy", process.env.LOG_LEVEL);
/** Below Kubernetes' grace period of 60 s, above what a client needs to go elsewhere. */
const forceCloseAfterMs = 25_000;
/** What the Sentinel API says it is: clients read from it that they may send CLIENT SETINFO. */
const announcedRedisVersion = "7.2.0";

async function main(): Promise<void> {
  const environment = readProxyEnvironment(process.env);
  const password = (): string | undefined => readPassword(environment.REDIS_PASSWORD_FILE);
  const report = (error: unknown): void => log.error(messageOf(error));
  const watcher = new MasterWatcher({
    sentinels: environment.REDIS_SENTINELS,
    masterName: environment.MASTER_NAME,
    password,
  });
  const relay = new TcpRelay({
    host: environment.BIND_ADDR,
    port: environment.PROXY_PORT,
    maxClients: environment.PROXY_MAX_CLIENTS,
    holdTimeoutMs: environment.PROXY_HOLD_TIMEOUT_MS,
    log,
    onUpstreamProblem: () => watcher.check(),
  });
  const apiViews = new ViewSource({
    masterName: environment.MASTER_NAME,
    announced: environment.PROXY_ANNOUNCE,
    sentinelCount: environment.REDIS_SENTINELS.length,
    holdTimeoutMs: environment.PROXY_HOLD_TIMEOUT_MS,
    sentinelViews: () => watcher.views,
    now: () => performance.now(),
  });
  const metrics = createMetrics(watcher, () => relay.clients);
  const failovers = new FailoverLog(log, () => metrics.failovers.inc());
  let everFollowed = false;
  let draining = false;
  watcher.on("change", (state) => {
    everFollowed ||= state.kind === "following";
    failovers.record(state);
    apiViews.observe(state);
    relay.follow(state);
  });

  // Ready while it holds clients, too: another proxy would not find a master sooner.
  const ready = (): Health => {
    if (draining) return { problem: "draining" };
    if (everFollowed) return true;
    return {
      problem: watcher.state.kind === "searching" ? `no master yet: ${watcher.state.reason}` : "starting",
    };
  };
  const admin = await startAdminServer({
    host: environment.BIND_ADDR,
    port: environment.PROXY_ADMIN_PORT,
    live: () => true,
    ready,
    metrics: metrics.render,
  });
  await relay.listen();
  const sentinelApi =
    environment.PROXY_SENTINEL_PORT === undefined
      ? undefined
      : new SentinelApiServer({
          host: environment.BIND_ADDR,
          port: environment.PROXY_SENTINEL_PORT,
          maxClients: environment.PROXY_MAX_CLIENTS,
          view: () => apiViews.view(),
          authenticate:
            environment.REDIS_PASSWORD_FILE === undefined ? undefined : checkPassword(password, report),
          redisVersion: () => announcedRedisVersion,
          report,
        });
  await sentinelApi?.listen();
  watcher.start();
  log.info({ port: environment.PROXY_PORT, sentinels: environment.REDIS_SENTINELS.length }, "listening");

  const drain = async (signal: NodeJS.Signals): Promise<void> => {
    if (draining) process.exit(1);
    draining = true;
    log.info({ signal, clients: relay.clients }, "draining");
    const force = setTimeout(() => relay.destroy(), forceCloseAfterMs);
    sentinelApi?.publishSwitchMaster();
    await Promise.all([sentinelApi?.close(), relay.close()]);
    clearTimeout(force);
    await watcher.stop();
    admin.close();
    log.info("drained");
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      drain(signal).catch((error: unknown) => log.error(messageOf(error)));
    });
  }
}

main().catch((error: unknown) => {
  log.fatal(messageOf(error));
  process.exitCode = 1;
});
