import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { replaceFile } from "./replace-file.ts";

/** A process that was started here. The start time tells it from a later process with the same number. */
export interface ProcessRecord {
  readonly name: string;
  readonly pid: number;
  /** Clock ticks after boot, from /proc. */
  readonly startTime: string;
}

/** When a process started, in ticks after boot; undefined when there is none with this number. */
export function startTimeOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The name in brackets may contain blanks; state is field 3, start time field 22.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? undefined : fields[19];
}

function runs({ pid, startTime }: ProcessRecord): boolean {
  return startTimeOf(pid) === startTime;
}

/** Processes of a group whose leader has ended. Those that write to `log` were started by it; a number may be used again. */
function leftIn(group: number, log: string): number[] {
  if (startTimeOf(group) !== undefined) return [];
  const left: number[] = [];
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, , groupOfProcess] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z" || Number(groupOfProcess) !== group) continue;
      if (readlinkSync(`/proc/${name}/fd/1`) === log) left.push(Number(name));
    } catch {
      // It ended meanwhile.
    }
  }
  return left;
}

/**
 * Background processes that belong together, remembered in a file so that another run can find and end them. Nothing is kept in memory: a
 * command may start a part anew while another one is looking at it.
 */
export class ProcessTable {
  readonly #file: string;
  readonly #logs: string;

  constructor(file: string, logs: string) {
    this.#file = file;
    this.#logs = logs;
  }

  get #records(): ProcessRecord[] {
    return existsSync(this.#file) ? (JSON.parse(readFileSync(this.#file, "utf8")) as ProcessRecord[]) : [];
  }

  /** Those that still run, and are still the ones that were started. */
  get running(): readonly ProcessRecord[] {
    return this.#records.filter(runs);
  }

  /** Starts a program in the background; its output goes to `<logs>/<name>.log`. It outlives this process. */
  start(name: string, program: string, args: readonly string[], env: Readonly<Record<string, string>>): void {
    mkdirSync(this.#logs, { recursive: true });
    const log = openSync(this.logOf(name), "a");
    // A group of its own: Ctrl-C in this terminal doesn't reach it, and its children can be ended with it.
    const child = spawn(program, args, { detached: true, stdio: ["ignore", log, log], env });
    closeSync(log);
    child.on("error", () => undefined);
    child.unref();
    this.record(name, child.pid);
  }

  /** Remembers a process that runs. */
  record(name: string, pid: number | undefined): void {
    const startTime = pid === undefined ? undefined : startTimeOf(pid);
    if (pid === undefined || startTime === undefined) {
      throw new Error(`${name} did not start (log: ${this.logOf(name)})`);
    }
    const present = this.#records.filter((item) => runs(item) || this.#leftOf(item).length > 0);
    replaceFile(this.#file, JSON.stringify([...present, { name, pid, startTime }], null, 2));
  }

  /** Sends a signal to a process and to all that it started. */
  signal(name: string, signal: NodeJS.Signals): void {
    for (const { pid } of this.running.filter((record) => record.name === name)) {
      try {
        process.kill(-pid, signal);
      } catch (error) {
        // It is no leader of a group, or it has just ended.
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
        if (startTimeOf(pid) !== undefined) process.kill(pid, signal);
      }
    }
  }

  isRunning(name: string): boolean {
    return this.running.some((record) => record.name === name);
  }

  logOf(name: string): string {
    return join(this.#logs, `${name}.log`);
  }

  /** Ends one process, gently by a signal and then, with all that it started, by force. */
  async stop(name: string, graceMs = 10_000, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    for (const record of this.running.filter((item) => item.name === name)) {
      process.kill(record.pid, signal);
      const deadline = performance.now() + graceMs;
      while (startTimeOf(record.pid) === record.startTime) {
        if (performance.now() > deadline) this.signal(name, "SIGKILL");
        await delay(20);
      }
    }
    // What a killed process started goes on without it, and nobody else knows of it.
    for (const record of this.#records.filter((item) => item.name === name)) {
      for (let left = this.#leftOf(record); left.length > 0; left = this.#leftOf(record)) {
        for (const pid of left) process.kill(pid, "SIGKILL");
        await delay(20);
      }
    }
  }

  #leftOf({ pid, name }: ProcessRecord): number[] {
    return leftIn(pid, this.logOf(name));
  }
}
