import { fileURLToPath } from "node:url";
import type { WorkerProgram } from "./workload-process.ts";

/** A client library that the ledger knows a worker for. */
export interface ClientLibrary {
  readonly name: string;
  /** Finds or builds its worker. @throws {UserError} that says what is missing. */
  readonly prepare: () => Promise<WorkerProgram>;
}

const workers = fileURLToPath(new URL("workers/", import.meta.url));

/** All of them, in the order in which a run takes them. */
export const clientLibraries: readonly ClientLibrary[] = [
  {
    name: "ioredis",
    prepare: async () => ({ command: process.execPath, args: [`${workers}ioredis.ts`] }),
  },
];
