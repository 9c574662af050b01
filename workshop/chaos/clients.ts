import { mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ExecaError, execa } from "execa";
import { UserError } from "../../runtime/user-error.ts";
import type { WorkerProgram } from "./workload-process.ts";

/** A client library that the ledger has a worker for. */
export interface ClientLibrary {
  readonly name: string;
  /**
   * Builds or finds its worker.
   *
   * @param directory for what is built or installed; the next time it is quicker.
   * @throws {UserError} that says what is missing.
   */
  readonly prepare: (directory: string) => Promise<WorkerProgram>;
}

const workers = fileURLToPath(new URL("workers/", import.meta.url));
const redisPyVersion = "8.1.0";
const buildWithinMs = 180_000;

/** All of them. Each sends again what was in flight on a lost connection: whoever closes one makes it write twice. */
export const clientLibraries: readonly ClientLibrary[] = [
  {
    name: "ioredis",
    prepare: async () => ({ command: process.execPath, args: [join(workers, "ioredis.ts")] }),
  },
  {
    name: "go-redis",
    async prepare(directory) {
      const command = join(directory, "go-redis", "worker");
      await build("go-redis", "go", ["build", "-o", command, "."], join(workers, "go-redis"));
      return { command, args: [] };
    },
  },
  {
    name: "redis-py",
    async prepare(directory) {
      const environment = join(directory, "redis-py");
      const python = join(environment, "bin", "python");
      await build("redis-py", "python3", ["-m", "venv", environment], workers);
      const install = ["-m", "pip", "install", "--quiet", `redis==${redisPyVersion}`];
      await build("redis-py", python, install, workers);
      return { command: python, args: [join(workers, "redis_py.py")] };
    },
  },
  {
    name: "lettuce",
    async prepare(directory) {
      const target = join(directory, "lettuce");
      mkdirSync(target, { recursive: true });
      const jars = join(target, "jars");
      const goals = ["compile", "dependency:copy-dependencies", `-DoutputDirectory=${jars}`];
      const options = ["--quiet", "--batch-mode", `-DbuildDirectory=${target}`];
      await build("lettuce", "mvn", [...options, ...goals], join(workers, "lettuce"));
      const classPath = [join(target, "classes"), join(jars, "*")].join(delimiter);
      return { command: "java", args: ["-cp", classPath, "LedgerWorker"] };
    },
  },
];

async function build(library: string, program: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await execa(program, args, { cwd, timeout: buildWithinMs });
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    const why =
      error.code === "ENOENT" ? `${program} is not there` : `${error.shortMessage}\n${error.stderr}`;
    throw new UserError(`The ${library} worker can't be built: ${why}. Leave it out with --clients.`);
  }
}
