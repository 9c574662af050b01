import { decodeCommand } from "../resp/command-frame.ts";
import { encodeError, encodeReply, type Protocol, status } from "../resp/encode-reply.ts";
import type { Command } from "../upstream/run.ts";

/** The reply to a command that ends a state which its client doesn't have: no connection is needed for it. */
export function answerWithoutState(command: Command, protocol: Protocol): Buffer | undefined {
  switch (command.rule.route) {
    case "exec":
      return encodeError("ERR EXEC without MULTI");
    case "discard":
      return encodeError("ERR DISCARD without MULTI");
    case "unwatch":
      return encodeReply(status("OK"), 2);
    case "unsubscribe": {
      const [name, ...channels] = decodeCommand(Buffer.concat(command.pieces));
      const kind = name?.toString("latin1").toLowerCase() ?? "";
      const each = channels.length === 0 ? [null] : channels;
      return Buffer.concat(
        each.map((channel) => encodeReply({ kind: "push", items: [kind, channel, 0] }, protocol)),
      );
    }
    default:
      return undefined;
  }
}
