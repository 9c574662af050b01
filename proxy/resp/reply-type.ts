/** The first byte of an error, `-`. */
export const errorType = 45;

/** Whether a reply is an error. */
export function isError(reply: Buffer): boolean {
  return reply[0] === errorType;
}
