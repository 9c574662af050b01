import { upper } from "../resp/command-frame.ts";
import { encodeError, encodeReply, type ReplyValue, status } from "../resp/encode-reply.ts";
import type { Command } from "../upstream/command.ts";
import type { Credentials } from "../upstream/upstream-options.ts";
import { askServer, ifAllowed } from "./ask-server.ts";
import type { Endpoint } from "./endpoint.ts";
import { noAuthReply, noMasterReply } from "./error-replies.ts";
import { stranger } from "./identity.ts";

const maxNameLength = 1024;

/** No server has had so many clients: an id beyond it is nobody's, so that no client ends or wakes a stranger with it. */
const nobodysIds = 2 ** 52;

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
      session.end();
      return true;
    case "reset":
      session.pinned.destroy();
      session.setReplyMode("ON");
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
        session.setReplyMode(mode);
        if (mode === "ON") reply(status("OK"));
      });
    }
    case "client|maint_notifications":
      return fail("ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.");
    default:
      return fail(`ERR the proxy has no answer to '${name}'`);
  }
}

/** Does something for a client that the server accepts; one that it doesn't gets the error. */
function isAccepted(session: Endpoint, action: () => boolean): boolean {
  if (session.identity.authorized) return action();
  const group = session.group();
  if (group.denied !== undefined) {
    session.answer(noAuthReply);
    return true;
  }
  const accept = (): boolean => {
    session.become({ authorized: true });
    return action();
  };
  // Others of its kind were accepted a moment ago: what needs no master isn't held for one.
  if (group.accepted) return accept();
  const { link } = session.host;
  if (link.state === "circuitOpen") {
    session.refuse(noMasterReply);
    return true;
  }
  if (link.state !== "following") {
    link.wait(session);
    return false;
  }
  if (group.shared(session, "small") !== undefined) return accept();
  const refusal = session.connectionRefusal(group);
  if (refusal === undefined) session.awaitsConnection();
  else session.refuse(refusal);
  return refusal !== undefined;
}

function credentialsOf(args: readonly Buffer[]): Credentials {
  const [first, second] = args.map((arg) => arg.toString());
  return second === undefined ? { password: first ?? "" } : { user: first ?? "", password: second };
}

/** Asks the master; the session is busy meanwhile, and the command is taken again when there was nobody to ask. */
function authenticate(session: Endpoint, credentials: Credentials, accepted: () => void): boolean {
  session.occupy();
  session.host.authenticator.check(credentials).then(
    (result) => {
      session.free();
      if (session.ended) return;
      if (result !== true && "again" in result) {
        const { link } = session.host;
        const refusal = link.state === "circuitOpen" ? noMasterReply : session.loginRefusal(result.again);
        if (refusal !== undefined) {
          session.refuse(refusal);
          session.finished();
        } else if (link.state === "holding") link.wait(session);
        else session.wakeSoon(session.host.authenticator.retries);
        return;
      }
      if (result === true) {
        const { user, password } = credentials;
        session.pinned.adopt(user === undefined ? ["AUTH", password] : ["AUTH", user, password]);
        session.become({ credentials, authorized: true });
        accepted();
      } else session.answer(encodeError(result.error));
      session.finished();
    },
    () => session.destroy(),
  );
  return false;
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

function hello(session: Endpoint, args: readonly Buffer[]): boolean {
  const fail = (text: string): boolean => {
    session.answer(encodeError(text));
    return true;
  };
  let { protocol, name } = session.identity;
  let credentials: Credentials | undefined;
  const version = args[1];
  if (version !== undefined) {
    const text = version.toString();
    if (!/^-?\d+$/.test(text)) return fail("ERR Protocol version is not an integer or out of range");
    if (text !== "2" && text !== "3") return fail("NOPROTO unsupported protocol version");
    protocol = text === "3" ? 3 : 2;
  }
  for (let i = 2; i < args.length; ) {
    const option = upper(args[i]);
    if (option === "AUTH" && args[i + 2] !== undefined) {
      credentials = credentialsOf(args.slice(i + 1, i + 3));
      i += 3;
    } else if (option === "SETNAME" && args[i + 1] !== undefined) {
      name = args[i + 1]?.toString("latin1") ?? "";
      if (!isName(name)) {
        return fail("ERR Client names cannot contain spaces, newlines or special characters.");
      }
      i += 2;
    } else return fail(`ERR Syntax error in HELLO option '${args[i]?.toString() ?? ""}'`);
  }
  const greet = (): boolean => {
    if (protocol !== session.identity.protocol) session.pinned.adopt(["HELLO", String(protocol)]);
    session.become({ protocol, name });
    session.answer(encodeReply(greeting(session), protocol));
    return true;
  };
  if (credentials !== undefined) return authenticate(session, credentials, greet);
  if (session.identity.authorized) return greet();
  if (session.group().denied === undefined) return isAccepted(session, greet);
  return fail(
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
  );
}

function greeting(session: Endpoint): ReplyValue {
  return new Map<string, ReplyValue>([
    ["server", "redis"],
    ["version", session.host.server.version],
    ["proto", session.identity.protocol],
    ["id", session.ownConnection?.clientId ?? nobodysIds + session.id],
    ["mode", "standalone"],
    ["role", "master"],
    ["modules", []],
  ]);
}

/** What Redis says to `CLIENT SETINFO`; undefined: OK. */
function infoProblem([, , option, value]: readonly Buffer[]): string | undefined {
  const name = option?.toString("latin1") ?? "";
  if (!/^lib-(name|ver)$/i.test(name)) return `ERR Unrecognized option '${name.slice(0, 128)}'`;
  const given = value?.toString("latin1") ?? "";
  if (isName(given)) return undefined;
  return `ERR ${name.toLowerCase()} cannot contain spaces, newlines or special characters.`;
}

/** Redis' rule, and a bound: the name is kept for as long as the client is there. */
function isName(text: string): boolean {
  return text.length <= maxNameLength && /^[!-~]*$/.test(text);
}
