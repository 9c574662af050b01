// The proxy: clients use it as if it were one Redis. It finds the master, connects them to it and to nobody else.
import { fileURLToPath } from "node:url";
import { createLog, messageOf } from "../runtime/log.ts";
import { collectGarbageLess } from "./collect-garbage-less.ts";
import { readProxyEnvironment } from "./environment.ts";
import { runProxy } from "./run-proxy.ts";
import { runWorkers } from "./workers/run-workers.ts";
import { workerVariable } from "./workers/worker-channel.ts";

const worker = process.env[workerVariable];
const log = createLog(worker === undefined ? "proxy" : `proxy-${worker}`, process.env.LOG_LEVEL);

async function main(): Promise<void> {
  collectGarbageLess();
  const environment = readProxyEnvironment(process.env);
  if (environment.PROXY_WORKERS === 1 || worker !== undefined) await runProxy(environment, log);
  else await runWorkers(fileURLToPath(import.meta.url), environment, log);
}

main().catch((error: unknown) => {
  log.fatal(messageOf(error));
  // What listens already would keep it alive: a proxy that never serves and that nobody starts again.
  process.exit(1);
});
