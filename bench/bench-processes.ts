import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { UserError } from "../cli/user-error.ts";
import { findProgram } from "../runtime/find-program.ts";
import { portsInUse } from "../runtime/ports-in-use.ts";

const readyWithinMs = 10_000;

function launch(program: string, args: readonly string[], env: Record<string, string>, cwd: string) {
  return execa(program, args, { env, cwd, stdin: "ignore", all: true, reject: false });
}

/** @throws {UserError} when one of the programs is missing or one of the ports is taken. */
export async function checkBefore(programs: readonly string[], ports: readonly number[]): Promise<void> {
  for (const name of programs) {
    try {
      findProgram(name, `${process.env.PATH}:/usr/sbin`);
    } catch {
      throw new UserError(
        `${name} is not in PATH: install it (Debian and Ubuntu: apt-get install redis-server redis-tools haproxy).`,
      );
    }
  }
  const [busy] = await portsInUse([...ports]);
  if (busy !== undefined) throw new UserError(`Port ${busy} is in use: choose another one with --port.`);
}

/** The processes of a benchmark, by name, and their directory. */
export class BenchProcesses {
  readonly directory = mkdtempSync(join(tmpdir(), "redis-ha-bench-"));
  readonly #processes = new Map<string, ReturnType<typeof launch>>();

  pid(name: string): number {
    return this.#processes.get(name)?.pid ?? 0;
  }

  run(name: string, program: string, args: readonly string[], env: Record<string, string> = {}): void {
    if (this.#processes.has(name)) throw new Error(`there are two processes with the name '${name}'`);
    this.#processes.set(name, launch(program, args, env, this.directory));
  }

  /** Waits for the first PONG, or demand for a password. @throws {UserError} with the process's output when there is none. */
  async answers(name: string, port: number): Promise<void> {
    await this.#waitFor(name, port, ping);
  }

  /** Waits until a proxy has found its master. @throws {UserError} with its output when it doesn't. */
  async ready(name: string, adminPort: number): Promise<void> {
    await this.#waitFor(name, adminPort, async (port) => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
      return answer?.ok === true;
    });
  }

  async #waitFor(name: string, port: number, isThere: (port: number) => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + readyWithinMs;
    const running = this.#processes.get(name);
    while (performance.now() < deadline && running?.exitCode === null) {
      if (await isThere(port)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    running?.kill();
    const output = (await running)?.all ?? "";
    throw new UserError(`${name} gives no answer on port ${port} within ${readyWithinMs} ms:\n${output}`);
  }

  /** Ends everything that was started. */
  async stop(): Promise<void> {
    for (const running of this.#processes.values())
      running.kill("SIGTERM", new Error("the benchmark is over"));
    const stuck = setTimeout(() => {
      for (const running of this.#processes.values()) running.kill("SIGKILL");
    }, 4000);
    await Promise.allSettled(this.#processes.values());
    clearTimeout(stuck);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

async function ping(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
  socket.setTimeout(500, () => resolve(false));
  socket.once("data", (bytes) => resolve(/^(\+PONG|-NOAUTH)/.test(bytes.toString())));
  socket.once("error", () => resolve(false));
  socket.once("close", () => resolve(false));
  const answered = await promise;
  socket.destroy();
  return answered;
}
