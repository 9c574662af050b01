import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { type Address, formatAddress, parseAddress, sameAddress } from "../../runtime/address.ts";
import { formatHeartbeat, type Heartbeat, parseHeartbeat } from "../supervise/heartbeat.ts";

/** What an instance notes on its volume twice a second, for its next start. */
export interface LastState {
  /** The machine's start, by the kernel's own id: another one means that what wasn't on the disk yet is lost. */
  readonly bootId: string;
  /** redis-server ended by itself, after it had written everything. */
  readonly clean: boolean;
  /** Whatever it had answered was on the disk: `redis:fsync` is `always`, and no rewrite held a part of the file apart. Default false. */
  readonly durable?: boolean;
  /** How new its copy of the data is; undefined: nobody could say. */
  readonly heartbeat: Heartbeat | undefined;
  /** Whom it followed, or was about to; undefined: it led, or nobody could say. */
  readonly followed?: Address | undefined;
  /** It led: that heartbeat is its own. Default false. */
  readonly led?: boolean;
}

/** What an instance knows of its own copy before its server runs. */
export interface OwnCopy {
  readonly heartbeat: Heartbeat | undefined;
  /** The machine went down while the server ran: up to two seconds of what it had acknowledged may be missing. */
  readonly crashed: boolean;
  /** Whom it followed when it ended: that one may have more. Undefined: it led, or nothing is known. */
  readonly followed?: Address | undefined;
  /** The epoch in which it led when it ended: it has all that was ever confirmed until then. Undefined: it didn't lead, or may lack some of that. */
  readonly ledIn?: number | undefined;
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
    return parseLastState(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** The same from the file's content. */
export function parseLastState(text: string): LastState | undefined {
  try {
    const { bootId, clean, durable, heartbeat, followed, led } = JSON.parse(text) as Record<string, unknown>;
    if (typeof bootId !== "string" || typeof clean !== "boolean") return undefined;
    return {
      ...{ bootId, clean, heartbeat: parseHeartbeat(heartbeat) },
      ...(durable === true ? { durable } : {}),
      ...(typeof followed === "string" ? { followed: parseAddress(followed) } : {}),
      ...(led === true ? { led } : {}),
    };
  } catch {
    return undefined;
  }
}

/** Writes it. Not through to the disk: twice a second that would be too much, and {@link OwnCopy.crashed} allows for it. */
export function writeLastState(file: string, state: LastState): void {
  const { bootId, clean, durable, heartbeat, followed, led } = state;
  const temporary = `${file}.tmp`;
  writeFileSync(
    temporary,
    JSON.stringify({
      ...{ bootId, clean, durable, led },
      heartbeat: heartbeat && formatHeartbeat(heartbeat),
      followed: followed && formatAddress(followed),
    }),
    { mode: 0o600 },
  );
  renameSync(temporary, file);
}

/**
 * What the note of the last run says about the copy now. Without one nothing is known about it.
 *
 * @param others the other instances: one that is none of them any more is no longer followed.
 */
export function judgeCopy(
  last: LastState | undefined,
  bootId: string,
  others: readonly Address[] = [],
): OwnCopy {
  const followed = others.find((other) => last?.followed !== undefined && sameAddress(other, last.followed));
  const crashed = last !== undefined && !last.clean && last.durable !== true && last.bootId !== bootId;
  const ledIn = last?.led === true && !crashed ? last.heartbeat?.epoch : undefined;
  return {
    ...{ heartbeat: last?.heartbeat, crashed },
    ...(ledIn === undefined ? {} : { ledIn }),
    ...(followed === undefined ? {} : { followed }),
  };
}
