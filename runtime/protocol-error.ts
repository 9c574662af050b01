/** Bytes that no RESP peer may send. The connection they came from can't be understood any more. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}
