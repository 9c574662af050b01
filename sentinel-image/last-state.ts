import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { formatHeartbeat, type Heartbeat, parseHeartbeat } from "./heartbeat.ts";

/** What an instance notes on its volume twice a second, for its next start. */
export interface LastState {
  /** The machine's start, by the kernel's own id: another one means that what wasn't on the disk yet is lost. */
  readonly bootId: string;
  /** redis-server ended by itself, after it had written everything. */
  readonly clean: boolean;
  /** How new its copy of the data is; undefined: nobody could say. */
  readonly heartbeat: Heartbeat | undefined;
}

/** What an instance knows of its own copy before its server runs. */
export interface OwnCopy {
  readonly heartbeat: Heartbeat | undefined;
  /** The machine went down while the server ran: up to two seconds of what it had acknowledged may be missing. */
  readonly crashed: boolean;
}

/** The id of this start of the machine; empty where the kernel doesn't tell. */
export function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

/** Reads what the last run noted; undefined: nothing, or nothing that makes sense. */
export function readLastState(file: string): LastState | undefined {
  try {
    const { bootId, clean, heartbeat } = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    if (typeof bootId !== "string" || typeof clean !== "boolean") return undefined;
    return { bootId, clean, heartbeat: parseHeartbeat(heartbeat) };
  } catch {
    return undefined;
  }
}

/** Writes it. Not through to the disk: twice a second that would be too much, and {@link OwnCopy.crashed} allows for it. */
export function writeLastState(file: string, { bootId, clean, heartbeat }: LastState): void {
  const temporary = `${file}.tmp`;
  writeFileSync(
    temporary,
    JSON.stringify({ bootId, clean, heartbeat: heartbeat && formatHeartbeat(heartbeat) }),
    { mode: 0o600 },
  );
  renameSync(temporary, file);
}

/** What the note of the last run says about the copy now. Without one nothing is known about it. */
export function judgeCopy(last: LastState | undefined, bootId: string): OwnCopy {
  return {
    heartbeat: last?.heartbeat,
    crashed: last !== undefined && !last.clean && last.bootId !== bootId,
  };
}
