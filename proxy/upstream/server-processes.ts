import { decodeReply } from "../resp/decode-reply.ts";
import { isError } from "../resp/reply-type.ts";
import type { ScriptStore } from "./script-store.ts";
import { processOf, type ServerProcess, unknownProcess } from "./server-process.ts";
import type { Upstream } from "./upstream.ts";

/** What asks and loads. */
export interface ServerProcessesHost {
  /** Begins a connection of the proxy's own user with the master; undefined when there is none. */
  open(): Upstream | undefined;
  /** The master doesn't load a script for the proxy's user. */
  refused(error: string): void;
}

/** A question with everything that it is to bring must be answered within this time, ms. */
const answerWithinMs = 2000;
/** What isn't known now is asked again after this time, ms. */
const askAgainMs = 1000;
/** To compile a script of 4 kB takes Redis up to 2 ms: so much longer than that it is left to its clients. */
const restFactor = 4;
const leastRestMs = 2;

interface Wanted {
  readonly upstream: Upstream;
  /** SHA-1 of the scripts that must be there. */
  readonly scripts: readonly string[];
  readonly done: () => void;
}

/**
 * Which process of a redis-server a connection leads to, and whether that one has the scripts that clients rely on. A connection
 * of the proxy's own user tells: one that is opened or asked after another one was opened, and answers while that one is still
 * there, leads to the same process, since only one has an address at a time.
 */
export class ServerProcesses {
  readonly #host: ServerProcessesHost;
  readonly #scripts: ScriptStore;
  #waiting: Wanted[] = [];
  #asking = false;
  #connection: Upstream | undefined;
  /** The process that answered last. */
  #current: ServerProcess | undefined;
  #refused = false;
  #rest: NodeJS.Timeout | undefined;

  constructor(host: ServerProcessesHost, scripts: ScriptStore) {
    this.#host = host;
    this.#scripts = scripts;
  }

  /** Whether a connection's process is known and has these scripts, as far as anybody has loaded them. */
  ready({ process }: Upstream, scripts: readonly string[]): boolean {
    if (process === undefined) return false;
    if (process === unknownProcess) return true;
    return scripts.every((sha) => this.#scripts.get(sha) === undefined || this.#scripts.isIn(sha, process));
  }

  /** Makes {@link ready} true, or finds out that it can't be; then calls back, not at once. */
  prepare(upstream: Upstream, scripts: readonly string[], done: () => void): void {
    this.#waiting.push({ upstream, scripts, done });
    if (!this.#asking) this.#ask();
  }

  /** There may be another process: brings it the scripts, a few at a time. */
  look(): void {
    if (!this.#asking && this.#scripts.count > 0) this.#ask();
  }

  close(): void {
    clearTimeout(this.#rest);
    this.#connection?.destroy();
  }

  #ask(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    this.#asking = true;
    let over = false;
    const finish = (process: ServerProcess | undefined): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      this.#answer(batch, process);
    };
    const timer = setTimeout(() => {
      this.#connection?.destroy("it doesn't tell which process it is");
      finish(undefined);
    }, answerWithinMs);
    const lost = (): void => finish(undefined);
    this.#connect((connection) => {
      if (connection === undefined) {
        lost();
        return;
      }
      const reply = (bytes: Buffer): void => {
        const process = this.#know(bytes);
        const missing = new Set(batch.flatMap(({ scripts }) => scripts));
        for (const sha of missing)
          if (!this.#scripts.isIn(sha, process)) this.#load(connection, sha, process);
        connection.ask(["PING"], { reply: () => finish(process), lost });
      };
      connection.ask(["INFO", "server"], { reply, lost });
    });
  }

  #answer(batch: readonly Wanted[], process: ServerProcess | undefined): void {
    this.#asking = false;
    for (const { upstream, done } of batch) {
      if (process === undefined || process === unknownProcess) {
        upstream.leadsTo(unknownProcess);
        setTimeout(() => {
          if (upstream.process === unknownProcess) upstream.leadsTo(undefined);
        }, askAgainMs).unref();
      } else upstream.leadsTo(process);
      done();
    }
    if (this.#waiting.length > 0 && !this.#asking) this.#ask();
    if (process !== undefined) this.#fill(process);
  }

  #know(info: Buffer): ServerProcess {
    const said = isError(info) ? unknownProcess : processOf(String(decodeReply(info)));
    if (this.#current === undefined || this.#current.runId !== said.runId) this.#current = said;
    return this.#current;
  }

  #connect(use: (connection: Upstream | undefined) => void): void {
    const connection = this.#connection;
    if (connection?.ready === true) {
      use(connection);
      return;
    }
    const opened = this.#host.open();
    this.#connection = opened;
    if (opened === undefined) queueMicrotask(() => use(undefined));
    else opened.onceOpened((ready) => use(ready ? opened : undefined));
  }

  #load(connection: Upstream, sha: string, process: ServerProcess, then: () => void = ignore): void {
    const body = this.#scripts.get(sha);
    if (body === undefined) return;
    connection.ask(["SCRIPT", "LOAD", body], {
      reply: (bytes) => {
        if (isError(bytes) && !this.#refused) {
          this.#refused = true;
          this.#host.refused(bytes.toString("latin1").trim());
        }
        // One that isn't taken won't be the next time: its client is told NOSCRIPT.
        this.#scripts.note(sha, process);
        then();
      },
      lost: ignore,
    });
  }

  /** Brings a process all scripts that nobody has asked for yet, one by one. */
  #fill(process: ServerProcess): void {
    clearTimeout(this.#rest);
    const connection = this.#connection;
    if (process === unknownProcess || connection?.ready !== true || this.#current !== process) return;
    const sha = this.#scripts.nextMissingIn(process);
    if (sha === undefined) return;
    const begun = performance.now();
    this.#load(connection, sha, process, () => {
      const restMs = Math.max(leastRestMs, restFactor * (performance.now() - begun));
      this.#rest = setTimeout(() => this.#fill(process), restMs).unref();
    });
  }
}

const ignore = (): void => undefined;
