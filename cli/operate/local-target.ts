import { existsSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { certificateEnd } from "../../runtime/certificate-end.ts";
import { messageOf } from "../../runtime/log.ts";
import type { TlsFiles } from "../../runtime/tls-files.ts";
import { type MoveNote, moveFile, readMoveNote } from "../../sentinel-image/move/move-note.ts";
import { readLastState } from "../../sentinel-image/start/last-state.ts";
import { fenceFile } from "../../sentinel-image/start/standing-orders.ts";
import type { LocalPart, LocalTopology } from "../local/local-topology.ts";
import { orderBackupLocally } from "./backup/order-backup.ts";
import { selectParts } from "./logs/part-log.ts";
import { readLocalLog } from "./logs/read-local-log.ts";
import type { LoggedEvent, MachineSeen, Observation, ProxySeen } from "./observation.ts";
import { orderLocally } from "./order-locally.ts";
import { placeLocally } from "./place-orders.ts";
import { readInstanceLog, readSentinelLog } from "./read-failover-log.ts";
import { readMetrics } from "./read-metrics.ts";
import { readRedis, readSentinel, redisQuestions, sentinelQuestions } from "./read-replies.ts";
import { lookAroundLocally } from "./report/local-surroundings.ts";
import type { Target } from "./target.ts";

/** For a part that is busy; one that is frozen is waited for so long. */
const answerWithinMs = 1000;

/** The topology of this machine. */
export function localTarget(local: LocalTopology): Target {
  const { masterName } = local.settings.sentinel;
  const ask = async (
    part: LocalPart,
    questions: readonly (readonly string[])[],
  ): Promise<unknown[] | Error> => {
    const connection = new ControlConnection({
      address: part.address,
      ...local.loginOf("supervisor"),
      password: () => local.passwordOf("supervisor"),
      tls: local.serverTls,
      timeoutMs: answerWithinMs,
    });
    const [first, ...rest] = questions.toReversed();
    try {
      // INFO first: whoever doesn't answer it is asked nothing else.
      const info = await call(connection, first ?? []);
      const others = await Promise.allSettled(
        rest.toReversed().map((question) => call(connection, question)),
      );
      return [
        ...others.map((answer) => (answer.status === "fulfilled" ? answer.value : toError(answer.reason))),
        info,
      ];
    } catch (error) {
      return toError(error);
    } finally {
      connection.close();
    }
  };
  return {
    observe: async ({ logs }): Promise<Observation> => {
      const of = (kind: LocalPart["kind"]): LocalPart[] => local.parts.filter((part) => part.kind === kind);
      const [redis, sentinels, proxies] = await Promise.all([
        Promise.all(
          of("redis").map(async (part) =>
            readRedis(part, await ask(part, redisQuestions), await lookAtMachine(part, local.serverTls)),
          ),
        ),
        Promise.all(
          of("sentinel").map(async (part) =>
            readSentinel(part, await ask(part, sentinelQuestions(masterName))),
          ),
        ),
        Promise.all(of("proxy").map(lookAtProxy)),
      ]);
      const events = await Promise.all(logs ? local.parts.map((part) => readEvents(part, masterName)) : []);
      return { atMs: Date.now(), masterName, redis, sentinels, proxies, events: events.flat() };
    },
    isDeployed: false,
    lookAround: async () => lookAroundLocally(local),
    readLogs: ({ parts, lines }) =>
      Promise.all(selectParts(local.parts, parts).map((part) => readLocalLog(part, { lines }))),
    placeOrders: async (name, orders) => {
      placeLocally(local.stateDirectory(name), orders);
      if (orders.restart) await local.restart(name);
    },
    orderBackup: (name, id, told) => orderBackupLocally(name, local.stateDirectory(name), id, told),
    orderHandOver: (name, order) => orderLocally(name, local.stateDirectory(name), order),
  };
}

/** Asks a proxy whether it is ready, and for its metrics. @throws {Error} when it doesn't answer in time. */
export async function askProxy(
  url: string,
  withinMs: number,
): Promise<Pick<ProxySeen, "problem" | "metrics">> {
  const get = async (path: string): Promise<string> => {
    // A kept connection would keep this process alive.
    const options = { signal: AbortSignal.timeout(withinMs), headers: { connection: "close" } };
    return (await fetch(`${url}${path}`, options)).text();
  };
  const ready = (await get("/readyz")).trim();
  return { problem: ready === "ok" ? undefined : ready, metrics: readMetrics(await get("/metrics")) };
}

async function lookAtProxy({ name, address, adminUrl }: LocalPart): Promise<ProxySeen> {
  try {
    return { name, address, ...(await askProxy(adminUrl, answerWithinMs)) };
  } catch (error) {
    return { name, address, problem: causeOf(error), metrics: {} };
  }
}

async function lookAtMachine({ stateDirectory }: LocalPart, tls: TlsFiles | undefined): Promise<MachineSeen> {
  const fence = join(stateDirectory, "ha", fenceFile);
  const move = noteOf(join(stateDirectory, "ha", moveFile));
  const noted = readLastState(join(stateDirectory, "ha", "last.json"))?.heartbeat;
  const disk = await statfs(stateDirectory).catch(() => undefined);
  const end = tls === undefined ? undefined : certificateEnd(readFileSync(tls.path("cert"), "utf8"));
  return {
    ...(disk === undefined
      ? {}
      : { diskBytes: disk.blocks * disk.bsize, diskFreeBytes: disk.bavail * disk.bsize }),
    ...(end === undefined ? {} : { certificateEndsMs: end }),
    ...(noted === undefined ? {} : { noted }),
    ...(move === undefined ? {} : { move }),
    ...(existsSync(fence) ? { fenced: readFileSync(fence, "utf8").trim() } : {}),
  };
}

/** One that can't be read keeps its instance from starting, which says so. */
function noteOf(file: string): MoveNote | undefined {
  try {
    return readMoveNote(file);
  } catch {
    return undefined;
  }
}

/** The end of a log is enough for the last failover. */
const linesOfStory = 5000;

async function readEvents(part: LocalPart, masterName: string): Promise<LoggedEvent[]> {
  if (part.kind === "proxy") return [];
  const text = (await readLocalLog(part, { lines: linesOfStory })).lines.join("\n");
  return part.kind === "sentinel"
    ? readSentinelLog(part.name, text, masterName)
    : readInstanceLog(part.name, text);
}

function call(connection: ControlConnection, [command = "", ...args]: readonly string[]): Promise<unknown> {
  return connection.call(command, ...args);
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** What `fetch` fails by stands in the cause. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause ?? error);
}
