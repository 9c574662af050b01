import { isError } from "../resp/reply-type.ts";

/**
 * Replies that say: not executed, because this Redis isn't a master that works (checked before execution by Redis). Of
 * these NOREPLICAS and MISCONF come from a master all the same: its replicas are missing, or only on their way to it; it
 * can't write to its disk, and the supervisors replace it.
 */
const rejections = ["READONLY", "MASTERDOWN", "LOADING", "NOREPLICAS", "MISCONF"] as const;
/** What EXEC says when Redis refused it for one of these reasons: nothing of the transaction was executed. */
const aborted = Buffer.from("-EXECABORT Transaction discarded because of: ");

export type Rejection = (typeof rejections)[number];

/** What a master says that takes no writes just now. */
export const writesRefused: ReadonlySet<Rejection> = new Set(["NOREPLICAS", "MISCONF"]);

const texts = rejections.map((kind) => ({
  kind,
  alone: Buffer.from(`-${kind} `),
  inExec: Buffer.concat([aborted, Buffer.from(`${kind} `)]),
}));

/** Why the command was certainly not executed, and can be sent to a master that works; undefined: any other reply. */
export function rejectionOf(bytes: Buffer): Rejection | undefined {
  if (!isError(bytes)) return undefined;
  return texts.find(({ alone, inExec }) => startsWith(bytes, alone) || startsWith(bytes, inExec))?.kind;
}

/** `CLIENT UNBLOCK … ERROR` begins with the same word. */
const unblocked = Buffer.from("-UNBLOCKED force unblock from blocking operation");

/** Redis ends a blocking command with this when it becomes a replica. */
export function isUnblocked(bytes: Buffer): boolean {
  return startsWith(bytes, unblocked);
}

function startsWith(bytes: Buffer, text: Buffer): boolean {
  return bytes.length >= text.length && bytes.compare(text, 0, text.length, 0, text.length) === 0;
}
