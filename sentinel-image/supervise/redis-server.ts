import { type ChildProcess, spawn } from "node:child_process";

/** How redis-server ended. */
export interface RedisExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The redis-server process that this entrypoint supervises. Its log goes to this process's output. */
export class RedisServer {
  /** Resolves when the process has ended. */
  readonly ended: Promise<RedisExit>;
  readonly #child: ChildProcess;

  /**
   * @param program absolute path of redis-server.
   * @param configFile its redis.conf: passwords are in there and not in the arguments, which everybody can read.
   * @param lock descriptor of the volume's lock: it lasts as long as the server, also when this process is killed before.
   */
  constructor(program: string, configFile: string, lock: number) {
    this.#child = spawn(program, [configFile], { stdio: ["ignore", "inherit", "inherit", lock] });
    const { promise, resolve, reject } = Promise.withResolvers<RedisExit>();
    this.#child.once("error", reject);
    this.#child.once("exit", (code, signal) => resolve({ code, signal }));
    this.ended = promise;
  }

  /** Undefined: it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Passes a signal on. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
