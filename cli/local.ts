import { resolve } from "node:path";
import { Command, Option } from "commander";
import { UserError } from "../runtime/user-error.ts";
import { collectSetting } from "./collect-setting.ts";
import { readPort } from "./console/console-command.ts";
import { startLocalConsole } from "./console/start-console.ts";
import type { TopologyStatus } from "./local/local-status.ts";
import { LocalTopology } from "./local/local-topology.ts";
import { showProgress } from "./progress.ts";
import { localDirectory } from "./state-directory.ts";

interface LocalCommandOptions {
  readonly dir: string;
  readonly port: string;
  readonly host?: string;
  readonly set: Record<string, string>;
  readonly instances?: string;
  readonly sentinels?: string;
  readonly quorum?: string;
  readonly engine?: string;
  readonly downAfterMs?: string;
  readonly fresh?: boolean;
  readonly detach?: boolean;
  /** False: none. */
  readonly console: boolean;
  readonly consolePort?: number;
  readonly json?: boolean;
}

/** `redis-ha local up|status|restart|down`: the whole topology as processes of this machine. */
export function localCommand(): Command {
  const command = new Command("local").description(
    "The same topology as processes of this machine: real Redis, Sentinels and proxy. Needs redis-server, or valkey-server.",
  );
  withOptions(command.command("up"))
    .description("Start it and stay until Ctrl-C. Data is kept for the next start.")
    .option("--port <number>", "first port; the proxy listens on it", "7600")
    .addOption(
      new Option("--host <address>", "where all parts listen (default: 127.0.0.1)").choices([
        "127.0.0.1",
        "::1",
      ]),
    )
    .option("--instances <number>", "Redis instances (redis:instances)")
    .option("--sentinels <number>", "Sentinels (sentinel:count)")
    .option("--quorum <number>", "Sentinels that must see the master down (sentinel:quorum)")
    .option("--engine <name>", "redis or valkey (images:engine)")
    .option("--down-after-ms <number>", "silence after which the master is down (sentinel:downAfterMs)")
    .option(
      "--set <namespace:key=value>",
      "any other setting of the stack, such as sentinel:quorum=3; repeatable",
      collectSetting,
      {},
    )
    .option("--fresh", "throw away the data of earlier runs")
    .option("--detach", "return when it is ready and leave it running")
    .option(
      "--console-port <number>",
      "where the console listens (default: 7690, or any other one if that is in use)",
      readPort,
    )
    .option("--no-console", "no page to look at it; with --detach there is none either: redis-ha console")
    .action(up);
  withOptions(command.command("status"))
    .description("Say who is master and how every part is. Exit code 1 unless all is well.")
    .action(async (options: LocalCommandOptions) => {
      const status = await opened(options.dir).status();
      print(options.json, status, describeStatus(status));
      if (!status.healthy) process.exitCode = 1;
    });
  withOptions(command.command("restart <part>"))
    .description("Start a part again, for instance one that was killed to see a failover.")
    .action(async (part: string, options: LocalCommandOptions) => {
      await opened(options.dir).restart(part);
      print(options.json, { restarted: part }, `${part} is started.`);
    });
  withOptions(command.command("down"))
    .description("End it. The data stays for the next `up`.")
    .action(async (options: LocalCommandOptions) => {
      await LocalTopology.open(resolve(options.dir))?.stop();
      print(options.json, { stopped: true }, "The local redis-ha is down.");
    });
  return command;
}

async function up(options: LocalCommandOptions): Promise<void> {
  const directory = resolve(options.dir);
  const interrupt = new AbortController();
  const stopped = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      interrupt.abort();
      stopped.resolve();
    });
  }
  const begin = performance.now();
  const local = await LocalTopology.start({
    directory,
    basePort: Number(options.port),
    ...(options.host === undefined ? {} : { host: options.host }),
    fresh: options.fresh ?? false,
    configuration: configurationOf(options),
    onProgress: showProgress,
    signal: interrupt.signal,
  });
  const seconds = Math.round((performance.now() - begin) / 100) / 10;
  const { detach = false, json, consolePort } = options;
  const page =
    detach || !options.console
      ? undefined
      : await startLocalConsole(local, consolePort).catch(async (error: unknown) => {
          await local.stop();
          throw error;
        });
  const consoleUrl = page === undefined ? {} : { consoleUrl: page.url };
  print(
    json,
    { ...local.outputs, seconds, directory, ...consoleUrl },
    describeUp(local, seconds, page?.url, options),
  );
  if (detach && !interrupt.signal.aborted) return;

  const watch = setInterval(() => {
    // `local down` in another terminal ended them.
    if (local.names.every((name) => !local.isRunning(name))) stopped.resolve();
  }, 500);
  await stopped.promise;
  clearInterval(watch);
  page?.close();
  showProgress("stopping");
  await local.stop();
}

function withOptions(command: Command): Command {
  return command
    .option("--dir <path>", "where data, logs and the password are kept", localDirectory)
    .option("--json", "print the result as JSON");
}

/** The options that have a name of their own, and all that were set. */
function configurationOf(options: LocalCommandOptions): Record<string, string> {
  const named = {
    "redis:instances": options.instances,
    "sentinel:count": options.sentinels,
    "sentinel:quorum": options.quorum,
    "images:engine": options.engine,
    "sentinel:downAfterMs": options.downAfterMs,
  };
  const given = Object.entries(named).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  return { ...options.set, ...Object.fromEntries(given) };
}

function opened(dir: string): LocalTopology {
  const local = LocalTopology.open(resolve(dir));
  if (local === undefined)
    throw new UserError(`No local redis-ha was ever started in ${resolve(dir)}: redis-ha local up.`);
  return local;
}

function describeUp(
  local: LocalTopology,
  seconds: number,
  consoleUrl: string | undefined,
  options: LocalCommandOptions,
): string {
  const { proxyHost, proxyPort, credentialsFile, caFile, user, ...others } = local.outputs;
  const rows = Object.entries({
    ...others,
    proxyHost,
    ...(caFile === undefined ? {} : { caFile }),
    user,
    credentialsFile,
  }).map(([name, value]) => `  ${name.padEnd(18)} ${value}`);
  const flags = `${user === "default" ? "" : `--user ${user} `}${caFile === undefined ? "" : `--tls --cacert ${caFile} `}`;
  const how = options.detach ? "redis-ha local down ends it" : "Ctrl-C ends it";
  return [
    "",
    `Ready in ${seconds} s; ${how}, the data stays.`,
    "",
    ...rows,
    "",
    ...(consoleUrl === undefined
      ? []
      : [`  ${consoleUrl}`, "  shows it: kill the master there and look", ""]),
    `  REDISCLI_AUTH=$(cat ${credentialsFile}) redis-cli ${flags}${proxyHost === "127.0.0.1" ? "" : `-h ${proxyHost} `}-p ${proxyPort} set hello world`,
    "  redis-ha local status",
    "",
  ].join("\n");
}

function describeStatus({ master, parts }: TopologyStatus): string {
  const rows = parts.map(
    ({ name, address, pid, state, healthy }) =>
      `${healthy ? "ok " : "NO "} ${name.padEnd(22)} ${address.padEnd(16)} ${String(pid ?? "-").padEnd(8)} ${state}`,
  );
  return [master === "" ? "No master." : `Master: ${master}`, ...rows].join("\n");
}

function print(json: boolean | undefined, value: object, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(value, null, 2) : text}\n`);
}
