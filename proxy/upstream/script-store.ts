import { hash } from "node:crypto";
import type { ServerProcess } from "./server-process.ts";

/** Redis from 7.4 on keeps as many of those that came with EVAL; older ones keep them all. */
const mostEvaluated = 500;
/** Those that came with SCRIPT LOAD stay in a Redis; nobody is known to have so many. */
const mostLoaded = 1000;
/** What a script takes beside its text. */
const overheadBytes = 256;

/** How a script came: those of `EVAL` are often texts that are never needed again. */
export type ScriptOrigin = "evaluated" | "loaded";

interface Kept {
  readonly body: Buffer;
  /** The last process that is known to have it. */
  process: ServerProcess | undefined;
}

/**
 * The scripts that clients have loaded and rely on: a connection that goes on is to them a Redis that still has what it had. A Redis
 * that takes over, or that has started anew, has none.
 */
export class ScriptStore {
  readonly #kept: Record<ScriptOrigin, Map<string, Kept>> = { evaluated: new Map(), loaded: new Map() };
  readonly #limitBytes: number;
  /** The same texts, by their length: found without hashing. */
  readonly #byLength = new Map<number, Set<Buffer>>();
  #bytes = 0;
  /** The process that has all of them. */
  #complete: ServerProcess | undefined;

  /** @param limitBytes of all scripts together; the oldest are forgotten first, those of EVAL before the others. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#kept.evaluated.size + this.#kept.loaded.size;
  }

  /** A script's text. @param sha in lower case. */
  get(sha: string): Buffer | undefined {
    return this.#find(sha)?.body;
  }

  /** Whether a text is that of a script which is kept. */
  has(body: Buffer | undefined): boolean {
    if (body === undefined) return false;
    for (const kept of this.#byLength.get(body.length) ?? []) if (kept.equals(body)) return true;
    return false;
  }

  /** Keeps a script. @param process that has it; undefined: none is known to. */
  add(body: Buffer, origin: ScriptOrigin, process: ServerProcess | undefined): void {
    const sha = hash("sha1", body);
    const before = this.#find(sha);
    const to = origin === "loaded" || this.#kept.loaded.has(sha) ? "loaded" : "evaluated";
    this.#forget(sha);
    // A small part of what was read at once must not keep all of it in memory.
    const own = before?.body ?? Buffer.from(body);
    this.#kept[to].set(sha, { body: own, process: process ?? before?.process });
    const same = this.#byLength.get(own.length);
    if (same === undefined) this.#byLength.set(own.length, new Set([own]));
    else same.add(own);
    this.#bytes += body.length + overheadBytes;
    if (!this.isIn(sha, this.#complete)) this.#complete = undefined;
    const { evaluated, loaded } = this.#kept;
    if (evaluated.size > mostEvaluated) this.#forgetOldest(evaluated);
    if (loaded.size > mostLoaded) this.#forgetOldest(loaded);
    while (this.#bytes > this.#limitBytes) this.#forgetOldest(evaluated.size > 0 ? evaluated : loaded);
  }

  /** `SCRIPT FLUSH`. */
  clear(): void {
    this.#kept.evaluated.clear();
    this.#kept.loaded.clear();
    this.#byLength.clear();
    this.#bytes = 0;
    this.#complete = undefined;
  }

  /** Takes note that a process has a script. */
  note(sha: string, process: ServerProcess): void {
    const kept = this.#find(sha);
    if (kept !== undefined) kept.process = process;
  }

  /** Whether a process has a script for certain. */
  isIn(sha: string, process: ServerProcess | undefined): boolean {
    return process !== undefined && this.#find(sha)?.process === process;
  }

  /** Whether a process may lack one of them. */
  missingIn(process: ServerProcess | undefined): boolean {
    return this.count > 0 && (process === undefined || this.#complete !== process);
  }

  /** One that a process isn't known to have; undefined: it has all of them. */
  nextMissingIn(process: ServerProcess): string | undefined {
    for (const scripts of [this.#kept.loaded, this.#kept.evaluated])
      for (const [sha, kept] of scripts) if (kept.process !== process) return sha;
    this.#complete = process;
    return undefined;
  }

  #find(sha: string): Kept | undefined {
    return this.#kept.loaded.get(sha) ?? this.#kept.evaluated.get(sha);
  }

  #forgetOldest(scripts: Map<string, Kept>): void {
    const [oldest] = scripts.keys();
    if (oldest !== undefined) this.#forget(oldest);
  }

  #forget(sha: string): void {
    const kept = this.#find(sha);
    if (kept === undefined) return;
    this.#bytes -= kept.body.length + overheadBytes;
    this.#kept.loaded.delete(sha);
    this.#kept.evaluated.delete(sha);
    const same = this.#byLength.get(kept.body.length);
    same?.delete(kept.body);
    if (same?.size === 0) this.#byLength.delete(kept.body.length);
  }
}
