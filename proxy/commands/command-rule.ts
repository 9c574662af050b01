/**
 * How the proxy treats a command.
 *
 * - `shared`: stateless; goes over the connection that many clients share.
 * - `local`: the proxy itself answers.
 * - `denied`: would act behind the Sentinels' back; refused.
 * - `multi`, `exec`, `discard`, `watch`, `unwatch`: a connection of its own from the first until the state ends.
 * - `blocking`: a connection of its own until the reply.
 * - `subscribe`, `unsubscribe`: a connection of its own while there are subscriptions.
 * - `once`: a connection of its own for this one command, because the shared one may be stuck behind what it is to end.
 * - `wait`: asks about the writes of its own connection, so the client is given the one it wrote on.
 * - `session`: leaves a state that the proxy doesn't know the end of; a connection of its own from now on.
 */
export type Route =
  | "shared"
  | "local"
  | "denied"
  | "multi"
  | "exec"
  | "discard"
  | "watch"
  | "unwatch"
  | "blocking"
  | "subscribe"
  | "unsubscribe"
  | "once"
  | "wait"
  | "session";

/**
 * What of a server's process a command is about. It isn't among the data, so another process doesn't have it.
 *
 * - `cursor`: the place of an iteration in the hash tables of that process.
 * - `script`: has a script's text, which the process keeps then.
 * - `scriptName`: runs a script that the process has.
 * - `scriptsKnown`: asks which scripts it has.
 * - `scriptsForgotten`: it forgets them all.
 * - `clientId`: names another client by the number that it has there.
 */
export type ProcessState =
  | "cursor"
  | "script"
  | "scriptName"
  | "scriptsKnown"
  | "scriptsForgotten"
  | "clientId";

/** What is known of one command or subcommand. */
export interface CommandRule {
  /** Lower case; `client|id` for a subcommand. */
  readonly name: string;
  readonly route: Route;
  /** It changes nothing: when its reply is lost, it is sent again. Anything else may have been executed. */
  readonly effectFree: boolean;
  /** Redis says that it never takes long: constant or logarithmic time. */
  readonly fast: boolean;
  /** What it answers is made up by a program that may have changed data before: no text of an error proves that it wasn't executed. */
  readonly choosesErrors: boolean;
  /** It may change data: what it was answered is true for good only when a replica has it, too. */
  readonly mayWrite: boolean;
  /** Rules of the subcommands, by their lower-case name. */
  readonly subcommands?: ReadonlyMap<string, CommandRule>;
  /** Without this option (in upper case) among its arguments the command doesn't block and is shared. */
  readonly blocksWith?: string;
  /** It depends on the server's process, or changes what that keeps beside the data. */
  readonly ofProcess?: ProcessState;
  /** May go over the shared connection without another look at its arguments. */
  readonly simple: boolean;
}

/** A command that the server didn't list: a module's or a newer one's. Nothing is known, so nothing is shared. */
export const unknownCommand: CommandRule = {
  name: "unknown",
  route: "session",
  effectFree: false,
  fast: false,
  choosesErrors: true,
  mayWrite: true,
  simple: false,
};
