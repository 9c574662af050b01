import type { PartKind } from "../../../components/topology/site.ts";
import { UserError } from "../../../runtime/user-error.ts";
import { LastLines } from "./last-lines.ts";

/** Which logs, and how much of them. */
export interface LogQuery {
  /** Kinds or names of parts; empty: all. */
  readonly parts: readonly string[];
  /** Of each part at most so many, the last ones. */
  readonly lines: number;
  /** Only what was written in so many seconds before now. */
  readonly sinceSeconds?: number | undefined;
}

/** The end of what one part wrote, line by line, oldest first. */
export interface PartLog {
  /** `redis-instance-1`; of a proxy the name of its pod. */
  readonly part: string;
  readonly kind: PartKind;
  readonly lines: readonly string[];
  /** The time zone of its clock, such as ` UTC`; empty: this process' own. */
  readonly zone: string;
  /** It wrote more than is kept here. */
  readonly cut: boolean;
  /** Why it couldn't be read. */
  readonly problem?: string;
  /** Why the log of the container before this one couldn't be read. */
  readonly previousProblem?: string;
}

/** Keeps the last lines of one part; together they may be so long. */
export function keepLines(lines: number): LastLines {
  return new LastLines(lines, 8 * 2 ** 20);
}

const kinds: readonly string[] = ["redis", "sentinel", "proxy"] satisfies PartKind[];

/** Those that were asked for. @throws {UserError} when somebody asked for one that there isn't. */
export function selectParts<T extends { readonly name: string; readonly kind: PartKind }>(
  all: readonly T[],
  wanted: readonly string[],
): T[] {
  const is = ({ name, kind }: T, word: string): boolean => kind === word || name === word;
  const unknown = wanted.find((word) => !kinds.includes(word) && !all.some((part) => is(part, word)));
  if (unknown !== undefined) {
    const names = all.map(({ name }) => name).join(", ");
    throw new UserError(`There is no part '${unknown}': use redis, sentinel, proxy or one of ${names}.`);
  }
  return all.filter((part) => wanted.length === 0 || wanted.some((word) => is(part, word)));
}
