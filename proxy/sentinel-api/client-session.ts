import { error, type ReplyValue, status } from "../resp/encode-reply.ts";
import { answerClient } from "./answer-client.ts";
import { answerCommand } from "./answer-command.ts";
import { answerSentinel } from "./answer-sentinel.ts";
import type { ClientState } from "./client-state.ts";
import { lookUp, refusalOf } from "./look-up.ts";
import { decode, parseHello } from "./parse-hello.ts";
import { renderInfo } from "./render-info.ts";
import type { SentinelApiServerFacts, SentinelApiView } from "./sentinel-api-view.ts";
import { Subscriptions } from "./subscriptions.ts";
import { trackingOff } from "./tracking.ts";

/** Checks a client's credentials: true, false (wrong), or the text of another error. */
export type Authenticate = (user: string, password: string) => Promise<boolean | string>;

/** What the sessions of one API share. */
export interface SentinelApi {
  readonly view: () => SentinelApiView;
  readonly facts: () => SentinelApiServerFacts;
  /** Undefined: there is no password, and nobody has to authenticate. */
  readonly authenticate: Authenticate | undefined;
  readonly clients: () => Iterable<ClientState>;
  /** Milliseconds of a clock that only moves forward. */
  readonly now: () => number;
  /** Is told of an error that is ours: its client gets `-ERR internal error`. */
  readonly report: (error: unknown) => void;
}

/** The replies to one command, in order. */
export interface Answer {
  readonly replies: readonly ReplyValue[];
  /** The connection ends after them. */
  readonly close?: boolean;
}

const noAuth = "NOAUTH Authentication required.";
const noAuthHello =
  "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time";
const wrongPassword = "WRONGPASS invalid username-password pair or user is disabled.";

/** One client of the Sentinel API: its protocol, user, name and subscriptions. Commands are handled one after the other. */
export class ClientSession {
  readonly state: ClientState;
  readonly #api: SentinelApi;

  constructor(api: SentinelApi, state: ClientState) {
    this.#api = api;
    this.state = state;
    this.#forgetUser();
  }

  /** The answer to a command, to be encoded in the protocol that the client has then: HELLO 3 is answered in RESP3. */
  async handle(args: readonly Buffer[]): Promise<Answer> {
    const { state } = this;
    state.lastCommandAtMs = this.#api.now();
    const found = lookUp(args);
    if ("refusal" in found) return { replies: [error(found.refusal)] };
    const { name, label, rule, subcommand } = found;
    state.lastCommand = label;
    if (state.user === undefined && !rule.beforeAuth) return { replies: [error(noAuth)] };
    if (state.protocol === 2 && state.subscriptions.count > 0 && !rule.whileSubscribed) {
      const allowed = "(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET";
      return {
        replies: [error(`ERR Can't execute '${label}': only ${allowed} are allowed in this context`)],
      };
    }
    if (rule.refused) return { replies: [error(refusalOf(label))] };
    switch (name) {
      case "quit":
        return { replies: [status("OK")], close: true };
      case "subscribe":
      case "psubscribe":
        return { replies: this.#subscribe(name, args.slice(1)) };
      case "unsubscribe":
      case "punsubscribe":
        return { replies: state.subscriptions.remove(name, args.slice(1)) };
      default:
        return { replies: [await this.#answer(name, subcommand, args)] };
    }
  }

  /** What this client gets of a message on a channel. */
  messages(channel: string, message: string): readonly ReplyValue[] {
    return this.state.subscriptions.messages(channel, message);
  }

  async #answer(name: string, subcommand: string, args: readonly Buffer[]): Promise<ReplyValue> {
    const { view, facts, clients, now } = this.#api;
    switch (name) {
      case "auth":
        return this.#auth(args);
      case "hello":
        return this.#hello(args);
      case "reset":
        return this.#reset();
      case "ping":
        return this.#ping(args);
      case "echo":
        return args[1] ?? null;
      case "client":
        return answerClient(subcommand, args, this.state, clients, now());
      case "command":
        return answerCommand(subcommand, args);
      case "acl":
        return this.state.user ?? null;
      case "publish":
        return error("ERR Only HELLO messages are accepted by Sentinel instances.");
      case "role":
        return ["sentinel", [view().masterName]];
      case "info": {
        const sections = args.slice(1).map((arg) => arg.toString("latin1").toLowerCase());
        return renderInfo(sections, view(), facts());
      }
      default:
        return answerSentinel(args, view());
    }
  }

  #subscribe(name: "subscribe" | "psubscribe", names: readonly Buffer[]): ReplyValue[] {
    const { subscriptions } = this.state;
    if (!subscriptions.accepts(names)) return [error("ERR too many subscriptions for one client")];
    return subscriptions.add(name, names);
  }

  #ping(args: readonly Buffer[]): ReplyValue {
    const [, text] = args;
    if (args.length > 2) return error("ERR wrong number of arguments for 'ping' command");
    if (this.state.protocol === 2 && this.state.subscriptions.count > 0) return ["pong", text ?? ""];
    return text ?? status("PONG");
  }

  async #auth(args: readonly Buffer[]): Promise<ReplyValue> {
    if (args.length > 3) return error("ERR syntax error");
    if (args.length === 2 && this.#api.authenticate === undefined) {
      return error(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
      );
    }
    const [user, password] =
      args.length === 2 ? ["default", decode(args[1])] : [decode(args[1]), decode(args[2])];
    const problem = await this.#authenticate(user, password);
    return problem === undefined ? status("OK") : error(problem);
  }

  async #hello(args: readonly Buffer[]): Promise<ReplyValue> {
    const hello = parseHello(args);
    if ("problem" in hello) return error(hello.problem);
    if (hello.credentials !== undefined) {
      const problem = await this.#authenticate(hello.credentials.user, hello.credentials.password);
      if (problem !== undefined) return error(problem);
    }
    if (this.state.user === undefined) return error(noAuthHello);
    this.state.protocol = hello.protocol ?? this.state.protocol;
    this.state.name = hello.name ?? this.state.name;
    return new Map<string, ReplyValue>([
      ["server", "redis"],
      ["version", this.#api.facts().redisVersion],
      ["proto", this.state.protocol],
      ["id", this.state.id],
      ["mode", "sentinel"],
      ["modules", []],
    ]);
  }

  /** Undefined when the client is that user now, else the error. A wrong password leaves the client who it was. */
  async #authenticate(user: string, password: string): Promise<string | undefined> {
    // Without a password Redis' default user takes any.
    const verdict = (await this.#api.authenticate?.(user, password)) ?? user === "default";
    if (typeof verdict === "string") return verdict;
    if (!verdict) return wrongPassword;
    this.state.user = user;
    return undefined;
  }

  #reset(): ReplyValue {
    this.state.protocol = 2;
    this.state.name = "";
    this.state.subscriptions = new Subscriptions();
    this.state.tracking = trackingOff;
    this.#forgetUser();
    return status("RESET");
  }

  #forgetUser(): void {
    this.state.user = this.#api.authenticate === undefined ? "default" : undefined;
  }
}
