import { decodeReply } from "../resp/decode-reply.ts";
import type { Command } from "../upstream/command.ts";
import type { Identity } from "./identity.ts";

/** What commands of a transaction can change of its client. */
export interface TransactionOwner {
  become(change: Partial<Pick<Identity, "db" | "name">>): void;
}

const changing: ReadonlySet<string> = new Set(["select", "client|setname"]);

/**
 * Brings what EXEC has changed to what is known of its client: only what the server has said OK to.
 *
 * @param commands those that were queued, in order.
 * @param reply what EXEC was answered.
 */
export function applyEffects(owner: TransactionOwner, commands: readonly Command[], reply: Buffer): void {
  if (!commands.some(({ rule }) => changing.has(rule.name))) return;
  const replies = decodeReply(reply);
  if (!Array.isArray(replies)) return;
  for (const [i, command] of commands.entries()) {
    const { rule } = command;
    if (!changing.has(rule.name) || replies[i] !== "OK") continue;
    const last = command.args.at(-1)?.toString("latin1") ?? "";
    owner.become(rule.name === "select" ? { db: Number(last) } : { name: last });
  }
}
