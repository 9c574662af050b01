/**
 * Calls back when the event loop has looked at all sockets once more. A client that has given up, and whose departure has arrived, is gone by then:
 * what was held for it must not be executed, it may have asked somebody else. And what a server has answered while this process was paused is
 * read: timers come before it.
 */
export function afterSocketsWereRead(goOn: () => void): void {
  // The first one may come in this turn, before the sockets.
  setImmediate(() => setImmediate(goOn));
}
