import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { parseInfo } from "../start/ask-peer.ts";
import type { Cipher } from "./cipher.ts";
import { offerFile } from "./feed-replica.ts";
import type { Manifest } from "./manifest.ts";
import type { ObjectStore } from "./object-store.ts";
import { readBackup } from "./read-backup.ts";

export interface LoadOptions {
  readonly store: ObjectStore;
  readonly manifest: Manifest;
  readonly cipher: Cipher;
  /** Path of redis-server. */
  readonly program: string;
  /** Told the process as soon as there is one: whoever watches over the memory may end it at any moment. */
  readonly onServer?: (server: ChildProcess) => void;
  readonly signal: AbortSignal;
}

/** Somebody has killed the server, as a kernel without memory does: the backup may be good. */
export class VerifierKilled extends Error {}

/** A server that says nothing for so long is given up, ms. */
const silenceMs = 30_000;
const lookEveryMs = 50;

/**
 * Loads a backup into a server of its own, which nobody else can reach and which writes nothing to a disk, and throws it away afterwards.
 *
 * @throws {Error} when the data are damaged, can't be had, or can't be loaded.
 */
export async function withLoadedBackup<T>(
  options: LoadOptions,
  use: (client: Redis) => Promise<T>,
): Promise<T> {
  const { store, manifest, cipher, signal } = options;
  const directory = mkdtempSync(join(tmpdir(), "redis-ha-verify-"));
  const master = await offerFile(readBackup(store, manifest, cipher, signal));
  const server = start(options, directory, master.port);
  const client = new Redis({
    path: join(directory, "socket"),
    lazyConnect: true,
    retryStrategy: null,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    protocol: 2,
    commandTimeout: silenceMs,
  });
  client.on("error", () => undefined);
  try {
    await Promise.race([waitUntilLoaded(client, server, signal), master.failed, server.ended]);
    return await use(client);
  } finally {
    client.disconnect();
    master.close();
    server.child.kill("SIGKILL");
    await server.ended.catch(() => undefined);
    rmSync(directory, { recursive: true, force: true });
  }
}

interface StartedServer {
  readonly child: ChildProcess;
  /** Fails when it ends: nobody asked it to. */
  readonly ended: Promise<never>;
  /** The last lines of its log. */
  readonly lastWords: () => string;
}

function start({ program, onServer }: LoadOptions, directory: string, port: number): StartedServer {
  const config = join(directory, "redis.conf");
  const lines = [
    "port 0",
    `unixsocket "${join(directory, "socket")}"`,
    "unixsocketperm 700",
    `dir "${directory}"`,
    'save ""',
    "appendonly no",
    `replicaof 127.0.0.1 ${port}`,
    // From the connection into memory: there may be no room for a file.
    "repl-diskless-load on-empty-db",
    "repl-timeout 60",
    'logfile ""',
  ];
  writeFileSync(config, `${lines.join("\n")}\n`, { mode: 0o600 });
  const child = spawn(program, [config], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH },
  });
  onServer?.(child);
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      log = (log + text).slice(-2000);
    });
  const { promise: ended, reject } = Promise.withResolvers<never>();
  ended.catch(() => undefined);
  const lastWords = (): string => log.trimEnd().split("\n").slice(-2).join(" ");
  child.once("error", reject);
  child.once("exit", (code, signal) => {
    const words = `the server that was to load the backup ended (${signal ?? code}): ${lastWords()}`;
    reject(signal === "SIGKILL" ? new VerifierKilled(words) : new Error(words));
  });
  return { child, ended, lastWords };
}

async function waitUntilLoaded(
  client: Redis,
  { lastWords }: StartedServer,
  signal: AbortSignal,
): Promise<void> {
  let seen = "";
  let seenAtMs = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const state = await askState(client).catch(() => undefined);
    if (state?.loaded) return;
    // As long as bytes arrive it goes on, however slow the store is: the store's own bounds end that.
    if (state !== undefined && state.progress !== seen) {
      seen = state.progress;
      seenAtMs = performance.now();
    }
    if (performance.now() - seenAtMs > 2 * silenceMs)
      throw new Error(`the backup wasn't loaded any further for ${(2 * silenceMs) / 1000} s: ${lastWords()}`);
    await delay(lookEveryMs, undefined, { signal });
  }
}

async function askState(client: Redis): Promise<{ readonly loaded: boolean; readonly progress: string }> {
  if (client.status === "end" || client.status === "wait" || client.status === "close")
    await client.connect();
  const info = parseInfo(String(await client.call("INFO", "everything")));
  return {
    loaded: info.get("master_link_status") === "up" && info.get("loading") === "0",
    progress: `${info.get("loading_loaded_bytes")} ${info.get("used_memory")}`,
  };
}
