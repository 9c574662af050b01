import { encodeError } from "../resp/encode-reply.ts";
import { isError } from "../resp/reply-type.ts";
import type { Command } from "../upstream/command.ts";
import type { GroupKey, UpstreamGroup } from "../upstream/upstream-group.ts";
import type { Client } from "./client.ts";
import { noAuthReply, noMasterReply } from "./error-replies.ts";

/** A question of which the server's answer decides what becomes of a client's command. */
export interface ServerQuestion {
  /** The client's command, or what is like it and leaves nothing on a connection that others use, too. */
  readonly ask: readonly string[] | Command;
  /** What the client will be when the server agrees. Default: what it is. */
  readonly as?: Partial<GroupKey>;
  /** The server has agreed; nothing is outstanding. */
  readonly agreed: (reply: Buffer) => void;
}

/**
 * Asks the server before the proxy does what it alone can do: whether the client's user may is for the server to say. The question goes over
 * the shared connection of the client that it will be then, so that its database is tried, too. What the server refuses, its client is told.
 *
 * @returns false, as whoever takes a command later: the session is busy until the answer, or waits for a master.
 */
export function askServer(session: Client, { ask, as = {}, agreed }: ServerQuestion): false {
  const { credentials, db, protocol } = session.identity;
  const { link } = session.host;
  if (link.state === "circuitOpen") {
    session.occupy();
    queueMicrotask(() => {
      session.free();
      if (session.ended) return;
      session.refuse(noMasterReply);
      session.finished();
    });
    return false;
  }
  if (link.state !== "following") {
    session.waitForMaster();
    return false;
  }
  const group = link.group({ credentials, db, protocol, ...as });
  session.occupy();
  const done = (answer: () => void): void => {
    session.free();
    if (session.ended) return;
    answer();
    session.finished();
  };
  const again = (problem: string | undefined): void => {
    session.free();
    if (session.ended) return;
    const refusal = session.connecting.refusal(group.retries, problem);
    if (refusal === undefined) session.connecting.tryLater(group.retries);
    else done(() => session.refuse(refusal));
  };
  const send = (): void => {
    const upstream = group.current("small");
    if (session.ended) return;
    if (upstream === undefined) {
      const { denied, busy } = group;
      if (denied === undefined && busy !== undefined) done(() => session.answer(encodeError(busy)));
      else if (denied === undefined) again(group.problem);
      else done(() => session.answer(refusalIn(group)));
      return;
    }
    const args = "pieces" in ask ? undefined : ask;
    const handler = {
      reply: (bytes: Buffer): void => {
        const rejection = isError(bytes) ? link.rejects(bytes) : undefined;
        if (rejection !== undefined) {
          upstream.reject(rejection);
          again(bytes.toString("latin1", 1).trim());
        } else done(() => (isError(bytes) && args !== undefined ? session.answer(bytes) : agreed(bytes)));
      },
      lost: () => again("the connection was lost"),
    };
    if (args !== undefined) upstream.ask(args, handler);
    else if ("pieces" in ask) upstream.askFrame(ask, handler);
  };
  if (group.current("small") !== undefined) send();
  else if (group.shared({ wake: send }, "small") !== undefined) send();
  return false;
}

/**
 * Does something that a client's user must be allowed to. The server is asked once for each shared connection: one that has said yes says so
 * again, for as long as it is there. While there is no master it is taken for granted, for users that were accepted before.
 *
 * @param name of the command, by which the answer is kept.
 */
export function ifAllowed(
  session: Client,
  name: string,
  ask: readonly string[],
  action: () => void,
): boolean {
  const group = session.group();
  const held = session.host.link.state !== "following" && group.accepted;
  if (session.identity.authorized && (held || group.allows(name))) {
    action();
    return true;
  }
  return askServer(session, {
    ask,
    agreed: () => {
      session.become({ authorized: true });
      session.group().allow(name);
      action();
    },
  });
}

/** What the server said when it refused a connection: a database that the user may not select is told as it was. */
function refusalIn({ denied = "" }: UpstreamGroup): Buffer {
  return /^NOPERM/.test(denied) ? encodeError(denied) : noAuthReply;
}
