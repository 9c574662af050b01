import { splitInline } from "../../../runtime/split-inline.ts";

/** One command: as an inline command would be written, with its quotes, or as its arguments (latin1). */
export type Call = string | readonly string[];

/** One command, or several on the same connection. */
export type Sample = string | readonly Call[];

/** Lower-case name, as `COMMAND LIST` gives it → samples. The first calls show that it works; others are errors. */
export type Samples = Readonly<Record<string, readonly Sample[]>>;

/** The commands of a sample, as lists of arguments. */
export function callsOf(sample: Sample): readonly (readonly string[])[] {
  if (typeof sample === "string") return [argumentsOf(sample)];
  return sample.map(argumentsOf);
}

function argumentsOf(call: Call): readonly string[] {
  if (typeof call !== "string") return call;
  return splitInline(Buffer.from(call, "latin1")).map((arg) => arg.toString("latin1"));
}
