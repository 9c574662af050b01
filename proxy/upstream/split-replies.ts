import { ReplyScanner } from "../resp/reply-scanner.ts";

/** Replies that follow each other, one by one. */
export function splitReplies(bytes: Buffer): Buffer[] {
  const scanner = new ReplyScanner();
  const replies: Buffer[] = [];
  scanner.push(bytes);
  while (scanner.next()) replies.push(scanner.buffer.subarray(scanner.start, scanner.end));
  return replies;
}
