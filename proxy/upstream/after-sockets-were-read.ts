/**
 * Calls back when the event loop has looked at all sockets once more: a client that has given up, and whose departure has
 * arrived, is gone by then. What was held for it must not be executed, it may have asked somebody else.
 */
export function afterSocketsWereRead(goOn: () => void): void {
  // The first one may come in this turn, before the sockets.
  setImmediate(() => setImmediate(goOn));
}
