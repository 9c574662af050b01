// Entrypoint of a Sentinel: prepares its configuration file, then becomes redis-server --sentinel.
import { closeSync, copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { askNewestVote } from "../quorum/ask-failover.ts";
import { askSentinels } from "../quorum/ask-sentinel.ts";
import { ControlConnection } from "../quorum/control-connection.ts";
import { sameAddress } from "../runtime/address.ts";
import { findEngineProgram } from "../runtime/engine.ts";
import { createLog, messageOf } from "../runtime/log.ts";
import { readPassword } from "../runtime/password-file.ts";
import { replaceFile } from "../runtime/replace-file.ts";
import { TlsFiles } from "../runtime/tls-files.ts";
import { type LearnedState, parseLearnedState, renderSentinelConf } from "./conf/sentinel-conf.ts";
import { readSentinelEnvironment } from "./conf/sentinel-environment.ts";
import { findLockProgram, lockVolume } from "./start/volume-lock.ts";

const log = createLog("sentinel");

async function main(): Promise<void> {
  const environment = readSentinelEnvironment(process.env);
  const { SENTINEL_CONFIG_FILE_DIR: directory, MASTER_NAME: masterName } = environment;
  const password = readPassword(environment.REDIS_PASSWORD_FILE);
  const tls = environment.REDIS_TLS_DIR === undefined ? undefined : new TlsFiles(environment.REDIS_TLS_DIR);
  const self = { host: environment.SENTINEL_SVC_IP, port: environment.SENTINEL_SVC_PORT };
  const file = join(directory, "sentinel.conf");

  process.umask(0o077);
  mkdirSync(directory, { recursive: true });
  const lock = join(directory, "lock");
  const descriptor = await lockVolume(lock, process.env.PATH);
  const learned = readLearned(file) ?? readLearned(`${file}.bak`);
  const others = environment.REDIS_SENTINELS.filter((address) => !sameAddress(address, self)).map(
    (address) =>
      new ControlConnection({
        address,
        username: environment.REDIS_USERNAME,
        password: () => password,
        tls,
      }),
  );
  const [{ views: peers }, votes] = await Promise.all([
    askSentinels(others, masterName),
    Promise.all(others.map((other) => askNewestVote(other, masterName).catch(() => 0))),
  ]);
  for (const connection of others) connection.close();

  const conf = renderSentinelConf({
    template: readFileSync(templateFile(), "utf8"),
    variables: {
      ...process.env,
      ...stringsOf(environment),
      REDIS_PASSWORD: password,
      ...listenerVariables(self.port, tls, environment.REDIS_TLS_AUTH_CLIENTS),
      SENTINEL_OWN_PASSWORD: environment.REDIS_ACL_FILE === undefined ? password : undefined,
    },
    masterName,
    self,
    sentinels: environment.REDIS_SENTINELS,
    instances: environment.REDIS_INSTANCES,
    initialMaster: environment.REDIS_MASTER,
    learned,
    peers,
    newestVote: Math.max(0, ...votes),
  });
  // A Sentinel never reads it again: its probe compares, and has it started anew after a renewal.
  // Not a copy of the file: a Secret's may be only read, and so may a copy of it, at the next start.
  if (tls !== undefined) replaceFile(join(directory, "tls.crt"), readFileSync(tls.path("cert"), "utf8"));
  replaceFile(file, conf);
  copyFileSync(file, `${file}.bak`);
  log.info(
    { file, known: learned === undefined ? "nothing, first start" : learned.master, peers: peers.length },
    "starting redis-sentinel",
  );
  // From here on this process is redis-sentinel: signals reach it directly and Node's memory is gone.
  const program = findEngineProgram(environment.REDIS_ENGINE, "server", process.env.PATH);
  const lockProgram = findLockProgram(process.env.PATH);
  // The lock can't be kept through `execve`, so it is taken once more on the way: by `flock`, which becomes the Sentinel.
  closeSync(descriptor);
  process.execve?.(
    lockProgram,
    [lockProgram, "--exclusive", "--nonblock", "--no-fork", lock, program, file, "--sentinel"],
    { PATH: process.env.PATH ?? "" },
  );
}

function listenerVariables(
  port: number,
  tls: TlsFiles | undefined,
  authClients: "yes" | "no",
): Record<string, string | undefined> {
  return {
    SENTINEL_PLAIN_PORT: tls === undefined ? String(port) : "0",
    SENTINEL_TLS_PORT: tls && String(port),
    TLS_CERT_FILE: tls?.path("cert"),
    TLS_KEY_FILE: tls?.path("key"),
    TLS_CA_FILE: tls?.path("ca"),
    TLS_AUTH_CLIENTS: tls && (authClients === "yes" ? "yes" : "optional"),
    TLS_REPLICATION: tls && "yes",
    TLS_PROTOCOLS: tls && "TLSv1.2 TLSv1.3",
  };
}

/** What the file of an earlier run says; undefined when there is none or it is damaged. */
function readLearned(file: string): LearnedState | undefined {
  try {
    const learned = parseLearnedState(readFileSync(file, "utf8"));
    if (learned === undefined) log.warn({ file }, "no usable sentinel.conf: going on without it");
    return learned;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}

/** The template lies beside this program in the image, one folder up from a bundle in `dist`. */
function templateFile(): URL {
  return new URL(
    import.meta.url.includes("/dist/") ? "../sentinel.conf.template" : "sentinel.conf.template",
    import.meta.url,
  );
}

function stringsOf(environment: Readonly<Record<string, unknown>>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value === undefined ? undefined : String(value),
    ]),
  );
}

main().catch((error: unknown) => {
  log.fatal(messageOf(error));
  process.exitCode = 1;
});
