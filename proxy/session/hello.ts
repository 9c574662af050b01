import { upper } from "../resp/command-frame.ts";
import { encodeError, encodeReply, type ReplyValue } from "../resp/encode-reply.ts";
import type { Credentials } from "../upstream/upstream-options.ts";
import { isName } from "./client-name.ts";
import type { Endpoint } from "./endpoint.ts";
import { authenticate, credentialsOf, isAccepted } from "./log-in.ts";

/** No server has had so many clients: an id beyond it is nobody's, so that no client ends or wakes a stranger with it. */
const nobodysIds = 2 ** 52;

/** HELLO: protocol, user and name at once. False when the answer needs a master and there is none. */
export function hello(session: Endpoint, args: readonly Buffer[]): boolean {
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
    ["server", session.host.server.greeting.server],
    ["version", session.host.server.greeting.version],
    ["proto", session.identity.protocol],
    ["id", session.ownConnection?.clientId ?? nobodysIds + session.id],
    ["mode", "standalone"],
    ["role", "master"],
    ["modules", []],
  ]);
}
