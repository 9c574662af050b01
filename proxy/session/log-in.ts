import { encodeError } from "../resp/encode-reply.ts";
import type { Credentials } from "../upstream/upstream-options.ts";
import type { Endpoint } from "./endpoint.ts";
import { noAuthReply, noMasterReply } from "./error-replies.ts";

/** Does something for a client that the server accepts; one that it doesn't gets the error. */
export function isAccepted(session: Endpoint, action: () => boolean): boolean {
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
  const refusal = session.connecting.refusal(group.retries, group.problem);
  if (refusal === undefined) session.connecting.begin();
  else session.refuse(refusal);
  return refusal !== undefined;
}

/** Those of AUTH, with or without a user. */
export function credentialsOf(args: readonly Buffer[]): Credentials {
  const [first, second] = args.map((arg) => arg.toString());
  return second === undefined ? { password: first ?? "" } : { user: first ?? "", password: second };
}

/** Asks the master; the session is busy meanwhile, and the command is taken again when there was nobody to ask. */
export function authenticate(session: Endpoint, credentials: Credentials, accepted: () => void): boolean {
  session.occupy();
  session.host.authenticator.check(credentials).then(
    (result) => {
      session.free();
      if (session.ended) return;
      if (result !== true && "again" in result) {
        const { link } = session.host;
        const refusal =
          link.state === "circuitOpen"
            ? noMasterReply
            : session.connecting.refusal(session.host.authenticator.retries, result.again);
        if (refusal !== undefined) {
          session.refuse(refusal);
          session.finished();
        } else if (link.state === "holding") link.wait(session);
        else session.connecting.tryLater(session.host.authenticator.retries);
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
