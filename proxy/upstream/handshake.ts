import { decodeReply, isErrorReply, type PlainReply } from "../resp/decode-reply.ts";
import { rejectionOf } from "./rejection.ts";
import type { ReplyHandler } from "./run.ts";
import type { UpstreamFailure, UpstreamOptions } from "./upstream-options.ts";

/** What a handshake does with its connection. */
export interface HandshakeHost {
  ask(args: readonly string[], handler: ReplyHandler): void;
  fail(kind: UpstreamFailure["kind"], message: string): void;
  /** All answers are good. Not called after `fail`. */
  done(): void;
}

/** What an error means that has nothing to do with the question. */
function whateverWasAsked(message: string): UpstreamFailure | undefined {
  // The server accepts the user, or it would have said so first.
  if (message.startsWith("BUSY ")) return { kind: "busy", message };
  // Redis says so to a new connection, whoever it is from, before it closes it.
  return /^(ERR max number of clients|DENIED )/.test(message) ? { kind: "refused", message } : undefined;
}

/** Logs in, and finds out whether the server is a master that works. All questions go at once. */
export function shakeHands(
  {
    credentials,
    protocol,
    db,
    evenBusy,
  }: Pick<UpstreamOptions, "credentials" | "protocol" | "db" | "evenBusy">,
  { ask, fail, done }: HandshakeHost,
): void {
  const expect = (args: string[], check: (reply: PlainReply) => UpstreamFailure | undefined): void =>
    ask(args, {
      reply: (bytes) => {
        const reply = decodeReply(bytes);
        const failure = (isErrorReply(reply) && whateverWasAsked(reply.error)) || check(reply);
        if (failure?.kind === "busy" && evenBusy === true) return;
        if (failure !== undefined) fail(failure.kind, failure.message);
      },
      lost: () => undefined,
    });
  const denied = (reply: PlainReply): UpstreamFailure | undefined =>
    isErrorReply(reply)
      ? { kind: reply.error.startsWith("LOADING") ? "notMaster" : "denied", message: reply.error }
      : undefined;
  if (credentials !== undefined) {
    const { user, password } = credentials;
    expect(user === undefined ? ["AUTH", password] : ["AUTH", user, password], denied);
  }
  if (protocol === 3) expect(["HELLO", "3"], denied);
  expect(["ROLE"], (reply) => {
    if (Array.isArray(reply) && reply[0] === "master") return undefined;
    if (isErrorReply(reply) && reply.error.startsWith("NOPERM")) return undefined;
    const kind = isErrorReply(reply) && /^(NOAUTH|WRONGPASS)/.test(reply.error) ? "denied" : "notMaster";
    return { kind, message: `ROLE answered ${isErrorReply(reply) ? reply.error : String(reply)}` };
  });
  if (db !== 0) expect(["SELECT", String(db)], denied);
  // A Redis that loads its data says ROLE master, too.
  ask(["PING"], {
    reply: (bytes) => {
      if (rejectionOf(bytes) !== undefined) fail("notMaster", bytes.toString("latin1").trim());
      else done();
    },
    lost: () => undefined,
  });
}
