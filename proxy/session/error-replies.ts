import { mayBeAllowed, switchedOff } from "../../runtime/access/denied-commands.ts";
import { encodeError } from "../resp/encode-reply.ts";

/**
 * A command was in flight when the connection was lost. Its code is none that any client takes for "try again": sent
 * again it could be executed twice.
 */
export const uncertainReply = encodeError(
  "UNCERTAIN the connection to the master was lost while the command was in flight: it may or may not have been executed",
);

/** A write was executed, but no replica has said that it has it, too: `redis:durability sync`. Retrying it could execute it twice. */
export const unconfirmedReply = {
  timeout: encodeError(
    "UNCERTAIN no replica has confirmed the write in time: it was executed, and may or may not survive a failover",
  ),
  lost: encodeError(
    "UNCERTAIN the connection to the master was lost before a replica had confirmed the write: it was executed, and may or may not have survived",
  ),
} as const;

/** Certainly not executed. Clients that try again at this code may do so. */
export const noMasterReply = encodeError(
  "LOADING no master available within the hold time: the command was not executed, try again",
);

/** Certainly not executed, too: there is a master, but it doesn't take the connection that the command needs. @param found the server's words, or what happened. */
export function noConnectionReply(found = "it doesn't answer in time"): Buffer {
  return encodeError(
    `LOADING the master takes no new connection (${found}), for longer than the hold time: the command was not executed, try again`,
  );
}

/** It has no effect, so that the client may well send it again; but whatever sends again by itself would go on where the proxy has stopped. */
export const givenUpReply = encodeError(
  "GIVENUP the command changes nothing and was in flight each time when the connection to the master was lost: it may be the cause, and is not sent again",
);

export const noAuthReply = encodeError("NOAUTH Authentication required.");

/** WAIT asks about writes on a connection that is gone: on the new master its answer would mean nothing. */
export const waitLostReply = encodeError(
  "UNCERTAIN the master changed since the writes that WAIT asks about: they may or may not have reached a replica",
);

/** The refusal of a command that is not passed on, with the reason, and who can change it. */
export function deniedReply(name: string): Buffer {
  const why =
    switchedOff.get(name) ??
    switchedOff.get(name.split("|")[0] ?? name) ??
    `it would act behind the Sentinels' back${mayBeAllowed(name) ? ". An operator can allow it with proxy:allowCommands" : ""}`;
  return encodeError(`NOPERM the proxy doesn't pass on '${name.replace("|", " ")}': ${why}`);
}

export const tooManyDedicatedReply = encodeError(
  "ERR max number of clients with a connection of their own reached (proxy:maxDedicated): the command was not executed",
);

/** Nothing behind it is executed: the connection ends. */
export const httpReply = encodeError("ERR this is Redis' protocol, not HTTP");

/** The proxy has to look at every argument of this command. */
export function tooManyArgsReply(name: string, most: number): Buffer {
  return encodeError(
    `ERR the proxy takes no more than ${most} arguments of '${name.replace("|", " ")}': the command was not executed`,
  );
}

export function tooBigReply(name: string): Buffer {
  return encodeError(`ERR the arguments of '${name.replace("|", " ")}' are too big`);
}

export const tooManySubscriptionsReply = encodeError(
  "ERR the names that all clients are subscribed to take too much of the proxy's memory (proxy:memory): the command was not executed",
);

/** Kept so that a transaction can be built again on a new master. */
export const tooBigTransactionReply = encodeError(
  "ERR the open transactions of all clients take too much of the proxy's memory (proxy:memory): the command was not queued",
);

/** The bytes of the reply `*-1` or `_`: EXEC of a transaction that a watched key has ended. */
export const execNil = { 2: Buffer.from("*-1\r\n"), 3: Buffer.from("_\r\n") } as const;

/** In RESP2 a client that listens to channels can do nothing else, except for what doesn't come here. */
export function subscribedReply(name: string): Buffer {
  return encodeError(
    `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
  );
}
