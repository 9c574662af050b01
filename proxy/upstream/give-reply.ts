import { isError } from "../resp/reply-type.ts";
import type { Rejection } from "./rejection.ts";
import type { ReplyReceiver, Run } from "./run.ts";
import { inServersWords } from "./server-words.ts";

/** Who knows what a refusal means. */
export interface RefusalJudge {
  /** Why a reply means that its command has to be sent again; undefined: it is the client's. */
  rejects(reply: Buffer): Rejection | undefined;
  /** Whether a reply has the words with which Redis refuses a command. */
  looksLikeRejection(reply: Buffer): boolean;
  /** Finds out whether this Redis is in the state that the reply speaks of. */
  prove(reply: Buffer, done: (rejection: Rejection | undefined) => void): void;
  /** A reply said that this is no master that works. */
  reject(rejection: Rejection): void;
}

/** One whole reply. */
export interface Reply {
  readonly run: Run;
  /** Which of the run's commands it belongs to. */
  readonly index: number;
  readonly bytes: Buffer;
  /** A command without an effect is asked again for it. */
  readonly again: boolean;
}

/** Gives a client a reply as it came; or, where it says that the command was not executed, the command back. */
export function giveReply(judge: RefusalJudge, receiver: ReplyReceiver, reply: Reply): void {
  const { run, index, bytes, again } = reply;
  let rejection: Rejection | undefined;
  if (isError(bytes) && judge.looksLikeRejection(bytes)) {
    if (!receiver.choosesErrors(run, index)) rejection = judge.rejects(bytes);
    else if (inServersWords(bytes) !== undefined) {
      doubt(judge, receiver, reply);
      return;
    }
  }
  if (rejection !== undefined) {
    receiver.rewind(run, index, bytes, true);
    judge.reject(rejection);
    return;
  }
  const told = run.translation?.answered(bytes) ?? bytes;
  if (receiver.rewinding || again) receiver.rewind(run, index, told, false);
  else receiver.forward(told, 1);
}

/** The words are those of Redis, but a program could have said them after it had changed something. */
function doubt(judge: RefusalJudge, receiver: ReplyReceiver, { run, index, bytes }: Reply): void {
  const decide = receiver.doubt(run, index, bytes);
  judge.prove(bytes, (rejection) => {
    if (rejection !== undefined) judge.reject(rejection);
    decide(rejection !== undefined);
  });
}
