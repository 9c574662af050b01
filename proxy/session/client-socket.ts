import type { Socket } from "node:net";

/** What becomes of a client is told to this one. */
export interface SocketOwner {
  received(piece: Buffer): void;
  /** The client has closed its side. */
  leave(): void;
  closed(): void;
  /** All that was written is on its way. */
  drained(): void;
  destroy(): void;
}

const owner = Symbol("owner");
type ClientSocket = Socket & { [owner]: SocketOwner };

// One set of functions for all clients: ten thousand sockets with functions of their own are 8 MiB more.
function onData(this: ClientSocket, piece: Buffer): void {
  this[owner].received(piece);
}
function onEnd(this: ClientSocket): void {
  this[owner].leave();
}
function onClose(this: ClientSocket): void {
  this[owner].closed();
}
function onDrain(this: ClientSocket): void {
  this[owner].drained();
}
function onError(this: ClientSocket): void {
  this[owner].destroy();
}

/** Tells everything that happens to a client's socket to its owner. */
export function listenTo(socket: Socket, to: SocketOwner): void {
  Object.assign(socket, { [owner]: to })
    .on("data", onData)
    .on("end", onEnd)
    .on("close", onClose)
    .on("drain", onDrain)
    .on("error", onError);
}
