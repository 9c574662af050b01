import { createInterface } from "node:readline/promises";
import { UserError } from "../../runtime/user-error.ts";

/** Asks a person on the terminal before something is done. @throws {UserError} without a yes, or without anybody to ask. */
export async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UserError(`${question} Say --yes: there is nobody to ask. Nothing was changed.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new UserError("Nothing was changed.");
  } finally {
    terminal.close();
  }
}
