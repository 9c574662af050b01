import { existsSync, readFileSync } from "node:fs";
import { formatAddress, sameAddress } from "../../runtime/address.ts";
import type { MoveSource } from "../../runtime/move-source.ts";
import { replaceFile } from "../../runtime/replace-file.ts";
import type { PeerView } from "../start/decide-start.ts";

/** In the folder `ha` of an instance's volume. */
export const moveFile = "move.json";

/** How far an instance is with the data of another Redis. */
export interface MoveNote {
  /** Its `address:port`. */
  readonly source: string;
  /**
   * `following`: what is on the volume is a copy of that one's. `cutting`: whether it still is, that one knows. `moved`: they are this set's own. `backed-out`:
   * they were thrown away.
   */
  readonly state: "following" | "cutting" | "moved" | "backed-out";
}

/** @throws {Error} when the file can't be read: what the data on the volume are would be a guess. */
export function readMoveNote(file: string): MoveNote | undefined {
  if (!existsSync(file)) return undefined;
  const note = parseMoveNote(readFileSync(file, "utf8"));
  if (note === undefined)
    throw new Error(`${file} is damaged: nobody can tell whose data are on this volume`);
  return note;
}

/** The same from the file's content; undefined: it makes no sense. */
export function parseMoveNote(text: string): MoveNote | undefined {
  try {
    const { source, state } = JSON.parse(text) as Record<string, unknown>;
    const known = (["following", "cutting", "moved", "backed-out"] as const).find((one) => one === state);
    return typeof source === "string" && known !== undefined ? { source, state: known } : undefined;
  } catch {
    return undefined;
  }
}

export function writeMoveNote(file: string, note: MoveNote): void {
  replaceFile(file, JSON.stringify(note));
}

/** Whether what is on the volume is a copy, or may be one. */
export function isUnderWay(note: MoveNote | undefined): note is MoveNote {
  return note?.state === "following" || note?.state === "cutting";
}

/** What an instance does about a Redis whose data are to be taken over, when it starts. */
export type MoveStart =
  /** Nothing: it starts as it always does. */
  | { readonly kind: "none" }
  /** It follows the source. `new`: with nothing on its volume, so that the source is looked at first. */
  | { readonly kind: "follow"; readonly new: boolean }
  /** Others have been cut over while its volume was lost: what it lacks they have. */
  | { readonly kind: "over" }
  /** It was killed in a cut-over: whether that took place, the source says. */
  | { readonly kind: "ask" }
  /** A person has to decide. */
  | { readonly kind: "refuse"; readonly reason: string };

/** What is known before the server is started. */
export interface MoveStartObservation {
  readonly source: Pick<MoveSource, "address"> | undefined;
  readonly note: MoveNote | undefined;
  readonly hasData: boolean;
  /** The other instances that answer. */
  readonly peers: readonly Pick<PeerView, "role">[];
}

/** Pure. Data are replaced by those of the source only where nothing can be lost by that. */
export function decideMoveStart({ source, note, hasData, peers }: MoveStartObservation): MoveStart {
  const given = source && formatAddress(source.address);
  if (given === undefined) {
    if (!isUnderWay(note)) return { kind: "none" };
    return refuse(
      `the volume holds a copy of ${note.source} that was never cut over, and move:source is gone: set it again and run redis-ha move cut-over, or redis-ha move back-out, which throws the copy away`,
    );
  }
  if (note?.state === "backed-out" && note.source === given)
    return refuse("the move was backed out: remove move:source (pulumi config rm move:source && pulumi up)");
  if (note?.state === "cutting") return { kind: "ask" };
  if (note?.state === "following") return { kind: "follow", new: false };
  if (note?.state === "moved" && note.source === given) return { kind: "none" };
  if (hasData)
    return refuse(
      `the volume holds data, which those of ${given} would replace: remove move:source (pulumi config rm move:source), or begin with new volumes`,
    );
  // Nobody but one that was cut over is a master here.
  if (peers.some(({ role }) => role === "master")) return { kind: "over" };
  return { kind: "follow", new: true };
}

function refuse(reason: string): MoveStart {
  return { kind: "refuse", reason };
}

/** What the source and this instance are, as far as it matters whether one can follow the other. */
export interface SourceSeen {
  /** Fields of its `INFO`. */
  readonly info: ReadonlyMap<string, string>;
  /** What this instance's server answers to `--version`. */
  readonly ownVersion: string;
  readonly maxmemoryBytes: number;
}

/** Why a source can't be followed yet, as a sentence; undefined: it can. Pure. */
export function whyNotFollow(source: Pick<MoveSource, "address">, seen: SourceSeen): string | undefined {
  const { info, ownVersion, maxmemoryBytes } = seen;
  const name = formatAddress(source.address);
  if (info.get("role") !== "master")
    return `${name} is a replica of ${info.get("master_host")}:${info.get("master_port")}: set move:source to its master`;
  if (info.get("cluster_enabled") === "1")
    return `${name} is a node of a Redis Cluster, whose slots no single Redis takes over`;
  if (info.get("loading") === "1") return `${name} still loads its data`;
  const theirs = readVersion(info.get("redis_version"));
  const own = readVersion(/v=(\d+\.\d+)/.exec(ownVersion)?.[1]);
  // Valkey says a Redis' version for its old clients; it reads and writes the format of that.
  if (theirs !== undefined && own !== undefined && info.get("server_name") !== "valkey" && theirs > own)
    return `${name} runs Redis ${info.get("redis_version")}, and an older one (${ownVersion.trim().split(" ").slice(0, 3).join(" ")}) can't read its data: use images of that version or a newer one`;
  const used = Number(info.get("used_memory_dataset") ?? info.get("used_memory"));
  if (used > maxmemoryBytes)
    return `${name} holds ${Math.ceil(used / 2 ** 20)} MiB, and redis:memory leaves ${Math.floor(maxmemoryBytes / 2 ** 20)} MiB for data: raise it first`;
  return undefined;
}

/** As one number that can be compared. */
function readVersion(text: string | undefined): number | undefined {
  const found = /^(\d+)\.(\d+)/.exec(text ?? "");
  return found === null ? undefined : Number(found[1]) * 1000 + Number(found[2]);
}

/** Whether a replica follows the source. */
export function followsSource(role: { readonly master: MoveSource["address"] }, source: MoveSource): boolean {
  return sameAddress(role.master, source.address);
}
