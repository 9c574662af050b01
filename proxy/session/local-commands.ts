import { upper } from "../resp/command-frame.ts";
import { encodeError, encodeReply, type ReplyValue, status } from "../resp/encode-reply.ts";
import type { Command } from "../upstream/command.ts";
import { askServer, ifAllowed } from "./ask-server.ts";
import { isName } from "./client-name.ts";
import type { Endpoint } from "./endpoint.ts";
import { hello } from "./hello.ts";
import { stranger } from "./identity.ts";
import { authenticate, credentialsOf, isAccepted } from "./log-in.ts";

/**
 * Answers a command of which the proxy is the endpoint; nothing is outstanding. False when the answer needs a master and
 * there is none: the command is to be taken again later.
 */
export function answerLocally(session: Endpoint, command: Command): boolean {
  const { args } = command;
  const { name } = command.rule;
  const reply = (value: ReplyValue): boolean => {
    session.answer(encodeReply(value, session.identity.protocol));
    return true;
  };
  const fail = (text: string): boolean => {
    session.answer(encodeError(text));
    return true;
  };
  const wrongCount = (): boolean => fail(`ERR wrong number of arguments for '${name}' command`);
  switch (name) {
    case "auth":
      if (args.length < 2) return wrongCount();
      if (args.length > 3) return fail("ERR syntax error");
      return authenticate(session, credentialsOf(args.slice(1)), () => reply(status("OK")));
    case "hello":
      return hello(session, args);
    case "quit":
      reply(status("OK"));
      session.departure.end();
      return true;
    case "reset":
      session.pinned.destroy();
      session.replyMode.set("ON");
      session.become(stranger);
      return reply(status("RESET"));
    case "sentinel": {
      const { answerSentinel } = session.host;
      if (answerSentinel === undefined) return fail("ERR unknown command 'SENTINEL'");
      return isAccepted(session, () => reply(answerSentinel(args)));
    }
    case "select":
      if (args.length !== 2) return wrongCount();
      return select(session, args[1]?.toString() ?? "");
    case "client|setname":
      if (args.length !== 3) return wrongCount();
      return ifAllowed(session, name, ["client", "setname", ""], () => {
        const given = args[2]?.toString("latin1") ?? "";
        if (!isName(given)) {
          fail("ERR Client names cannot contain spaces, newlines or special characters.");
          return;
        }
        session.become({ name: given });
        session.ownConnection?.adopt(["CLIENT", "SETNAME", given]);
        reply(status("OK"));
      });
    case "client|getname":
      if (args.length !== 2) return wrongCount();
      return ifAllowed(session, name, ["client", "getname"], () =>
        reply(session.identity.name === "" ? null : Buffer.from(session.identity.name, "latin1")),
      );
    case "client|setinfo":
      // A Redis before 7.2 doesn't know it, and says so with the client's own word.
      return ifAllowed(session, name, ["client", args[1]?.toString("latin1") ?? "", "lib-name", ""], () => {
        const problem = args.length === 4 ? infoProblem(args) : undefined;
        if (args.length !== 4) wrongCount();
        else if (problem !== undefined) fail(problem);
        else reply(status("OK"));
      });
    case "client|reply": {
      const mode = upper(args[2]);
      if (args.length !== 3) return wrongCount();
      if (mode !== "ON" && mode !== "OFF" && mode !== "SKIP") return fail("ERR syntax error");
      return ifAllowed(session, name, ["client", "reply", "on"], () => {
        session.replyMode.set(mode);
        if (mode === "ON") reply(status("OK"));
      });
    }
    case "client|capa":
      // Valkey's clients tell so that they can be redirected to another master: the proxy goes there itself. A capability that the server
      // doesn't know is none to it, and a Redis doesn't know the subcommand, and says so.
      if (args.length < 3) return wrongCount();
      return ifAllowed(session, name, ["client", args[1]?.toString("latin1") ?? "", "none"], () =>
        reply(status("OK")),
      );
    case "client|maint_notifications":
      return fail("ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.");
    default:
      return fail(`ERR the proxy has no answer to '${name}'`);
  }
}

/** The client goes to another database when the server has let its user go there. */
function select(session: Endpoint, text: string): false {
  const { databases } = session.host.server;
  const db = /^(0|-?[1-9]\d{0,18})$/.test(text) ? Number(text) : undefined;
  const problem =
    db === undefined
      ? "ERR value is not an integer or out of range"
      : db < 0 || db >= databases
        ? "ERR DB index is out of range"
        : undefined;
  // Whether its user may select at all says a database that exists.
  const target = problem === undefined && db !== undefined ? db : session.identity.db;
  return askServer(session, {
    ask: ["select", String(target)],
    as: { db: target },
    agreed: () => {
      session.become({ authorized: true });
      if (problem !== undefined) {
        session.answer(encodeError(problem));
        return;
      }
      session.become({ db: target });
      session.pinned.adopt(["SELECT", String(target)]);
      session.answer(encodeReply(status("OK"), session.identity.protocol));
    },
  });
}

/** What Redis says to `CLIENT SETINFO`; undefined: OK. */
function infoProblem([, , option, value]: readonly Buffer[]): string | undefined {
  const name = option?.toString("latin1") ?? "";
  if (!/^lib-(name|ver)$/i.test(name)) return `ERR Unrecognized option '${name.slice(0, 128)}'`;
  const given = value?.toString("latin1") ?? "";
  if (isName(given)) return undefined;
  return `ERR ${name.toLowerCase()} cannot contain spaces, newlines or special characters.`;
}
