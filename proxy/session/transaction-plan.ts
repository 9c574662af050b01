/** Which command of a transaction a reply or a loss belongs to. */
export type Part = "watch" | "multi" | "queued" | "exec" | "discard";

/**
 * How a transaction stands with the connection that it was sent on.
 *
 * - `good`: nothing is known against it.
 * - `rewound`: a Redis that is no master has refused one of its commands. It can't run there, and is built again from there on.
 * - `neverOpened`: the server has refused MULTI. What was sent behind it is no part of anything.
 */
export type Standing = "good" | "rewound" | "neverOpened";

/**
 * What the server has answered: what a client hopes for (`OK`, `QUEUED`, whatever EXEC gives), that it is no master, or
 * another error.
 */
export type Answer = "agreed" | "rejected" | "refused";

/**
 * What is done with a reply.
 *
 * - `plain`: it is treated as outside of a transaction.
 * - `rewind`: the server is no master. The command is put back, and so is everything behind it.
 * - `again`: the command is put back behind one that was rejected.
 * - `keep`: the command is a part of the transaction, and is built again with it.
 * - `doubt`: it is none. Whether EXEC executes the others that server knows, and no other one.
 * - `never`: there is no transaction.
 * - `over`: it is over.
 */
export type ReplyPlan = "plain" | "rewind" | "again" | "keep" | "doubt" | "never" | "over";

/** What is done when {@link Part} is answered. */
export function planReply(part: Part, standing: Standing, answer: Answer): ReplyPlan {
  if (part === "watch" || standing === "neverOpened") return "plain";
  // DISCARD is answered by whoever has the transaction, master or not.
  if (answer === "rejected" && part !== "discard") return "rewind";
  if (part === "multi") return answer === "agreed" ? "keep" : "never";
  if (standing === "rewound") return "again";
  if (part === "exec") return "over";
  if (answer !== "agreed") return "doubt";
  return part === "queued" ? "keep" : "over";
}

/** What a loss depends on. */
export interface AtLoss {
  readonly standing: Standing;
  /** The server has said that there is a transaction. */
  readonly opened: boolean;
  /** EXEC was sent. */
  readonly executing: boolean;
  /** Some byte of the lost command may have reached the server. */
  readonly sent: boolean;
}

/**
 * What a command was that is lost.
 *
 * - `settled`: EXEC is in flight behind it, and its answer says what became of all. Until then the client is told what it would have been.
 * - `unsent`: it has done nothing, and is sent again.
 * - `lost`: it is lost like any other.
 * - `lostBehindMulti`: it is, and with it whether it was queued or executed. The transaction can't be built again in part.
 * - `uncertain`: nobody knows whether the transaction was executed.
 */
export type LossPlan = "settled" | "unsent" | "lost" | "lostBehindMulti" | "uncertain";

/** What is done when {@link Part} is lost. */
export function planLoss(part: Part, { standing, opened, executing, sent }: AtLoss): LossPlan {
  if (!sent) return part === "watch" ? "lost" : "unsent";
  const executed = executing && standing === "good";
  switch (part) {
    case "watch":
      return executing ? "settled" : "lost";
    case "multi":
      return executed ? "settled" : "unsent";
    case "exec":
      return standing === "good" ? "uncertain" : "unsent";
    case "discard":
      return "unsent";
    case "queued":
      if (executed) return "settled";
      // Queued by a server that has opened the transaction, or given back with it: it has done nothing.
      if (opened || standing === "rewound") return "unsent";
      return standing === "neverOpened" ? "lost" : "lostBehindMulti";
  }
}
