/** One run of a redis-server, from its start to its end, whatever its role. */
export interface ServerProcess {
  /** Its number in the cursors that its clients get: 1 to {@link mostTags}; 0: it isn't known. */
  readonly tag: number;
  /** Its `run_id`. */
  readonly runId: string;
}

/** Of 17 bits all but zero: two processes have the same number once in 131 071 times. */
export const mostTags = 2 ** 17 - 1;

/** A process that hasn't told who it is: nothing is known of it. */
export const unknownProcess: ServerProcess = { tag: 0, runId: "" };

/** Reads who a process is from its `INFO server`; {@link unknownProcess} when that doesn't tell. */
export function processOf(info: string): ServerProcess {
  const runId = /^run_id:([0-9a-f]{40})\r?$/m.exec(info)?.[1];
  if (runId === undefined) return unknownProcess;
  return { tag: 1 + (Number.parseInt(runId.slice(0, 12), 16) % mostTags), runId };
}
