/** Replies that say: not executed, because this Redis isn't a master that works (checked before execution by Redis). */
const rejections = ["-READONLY ", "-MASTERDOWN ", "-LOADING "].map((text) => Buffer.from(text));
/** The same, but only while a failover goes on: at other times it is what the user has configured. */
const noReplicas = Buffer.from("-NOREPLICAS ");
/** What EXEC says when Redis refused it for one of these reasons: nothing of the transaction was executed. */
const aborted = Buffer.from("-EXECABORT Transaction discarded because of: ");

/** Whether a reply certainly means that the command was not executed and can be sent to the next master. */
export function isRejection(bytes: Buffer, start: number, holding: boolean): boolean {
  for (const text of rejections) if (startsWith(bytes, start, text)) return true;
  if (holding && startsWith(bytes, start, noReplicas)) return true;
  if (!startsWith(bytes, start, aborted)) return false;
  return isRejection(Buffer.concat([Buffer.from("-"), bytes.subarray(start + aborted.length)]), 0, holding);
}

/** Redis ends a blocking command with this when it becomes a replica. */
export function isUnblocked(bytes: Buffer): boolean {
  return startsWith(bytes, 0, Buffer.from("-UNBLOCKED "));
}

function startsWith(bytes: Buffer, start: number, text: Buffer): boolean {
  if (bytes.length - start < text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}
