import type { SampleLine } from "./sample-program.ts";

/** What the Redis holds in the end. */
export interface FinalData {
  readonly counter: number;
  readonly list: readonly string[];
}

/**
 * Compares what a program of examples/ was told with what the Redis holds.
 *
 * @param unknown Says whether an error leaves open if the command ran. All others mean that it didn't.
 * @returns what is wrong, one sentence each: commands executed twice, acknowledged and lost, executed although refused.
 */
export function judgeWrites(
  lines: readonly SampleLine[],
  { counter, list }: FinalData,
  unknown: (message: string) => boolean,
): string[] {
  const wrong: string[] = [];
  const written = lines.filter((line) => line.event === "written");
  const uncertain = lines.filter((line) => line.event === "error").filter(({ message }) => unknown(message));

  const held = new Set<string>();
  for (const id of list) {
    if (held.has(id)) wrong.push(`RPUSH ${id} was executed twice`);
    held.add(id);
  }
  const explained = new Set(uncertain.filter(isPush).map(({ id }) => id));
  for (const { id } of written.filter(isPush)) {
    explained.add(id);
    if (!held.has(id)) wrong.push(`RPUSH ${id} was acknowledged and is lost`);
  }
  for (const id of held)
    if (!explained.has(id)) wrong.push(`RPUSH ${id} was executed although it was refused`);

  const increments = written.filter((line) => !isPush(line));
  const atMost = increments.length + uncertain.filter((line) => !isPush(line)).length;
  if (counter < increments.length) {
    wrong.push(`the counter is ${counter}, but ${increments.length} INCR were acknowledged`);
  }
  if (counter > atMost) wrong.push(`the counter is ${counter}, but at most ${atMost} INCR were sent once`);
  for (const same of [increments, written.filter(isPush)]) {
    const values = new Map<number, string>();
    for (const { command, id, value } of same) {
      const first = values.get(value);
      if (first !== undefined) wrong.push(`${command} ${first} and ${id} were both answered with ${value}`);
      values.set(value, id);
    }
  }
  return wrong;
}

function isPush(line: { readonly command: "INCR" | "RPUSH" }): boolean {
  return line.command === "RPUSH";
}
