import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { CommandTable } from "../../proxy/commands/command-table.ts";
import { encodeCommand } from "../../proxy/resp/command-frame.ts";
import { ByteBudget } from "../../proxy/session/byte-budget.ts";
import { commandsOf } from "../../proxy/session/find-commands.ts";
import { OutputBudget } from "../../proxy/session/output-budget.ts";
import { RedirectTargets } from "../../proxy/session/redirect-targets.ts";
import { Session } from "../../proxy/session/session.ts";
import { defaultSessionLimits, type SessionHost } from "../../proxy/session/session-host.ts";
import { SubscriptionBudget } from "../../proxy/session/subscriptions.ts";
import { TransactionBudget } from "../../proxy/session/transaction.ts";
import type { LinkState } from "../../proxy/upstream/master-link.ts";
import { OpenRetries } from "../../proxy/upstream/open-retries.ts";
import { type Rejection, rejectionOf } from "../../proxy/upstream/rejection.ts";
import { ReplyRouter } from "../../proxy/upstream/reply-router.ts";
import { type ReplyHandler, Run } from "../../proxy/upstream/run.ts";
import { RunQueue } from "../../proxy/upstream/run-queue.ts";
import { ScriptStore } from "../../proxy/upstream/script-store.ts";
import { Turns } from "../../proxy/upstream/turns.ts";
import type { Upstream } from "../../proxy/upstream/upstream.ts";
import type { Waiter } from "../../proxy/upstream/upstream-group.ts";

/** What Redis 7.0 says of a few commands. */
const table = new CommandTable(
  Object.entries({
    get: ["readonly", "fast"],
    set: ["write"],
    incr: ["write", "fast"],
    eval: ["write"],
    blpop: ["write", "blocking"],
    ping: ["fast"],
    multi: ["fast"],
    exec: [],
    discard: ["fast"],
    watch: ["fast"],
    unwatch: ["fast"],
    subscribe: ["pubsub"],
  }).map(([name, flags]) => ({ name, flags, subcommands: [] })),
);

/** A client's socket that keeps what is written to it. */
class ClientSocket extends EventEmitter {
  destroyed = false;
  writableEnded = false;
  readonly writableLength = 0;
  text = "";
  #paused = false;

  write(bytes: Buffer): void {
    this.text += bytes.toString("latin1");
  }
  cork(): void {}
  uncork(): void {}
  end(): void {
    this.writableEnded = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
  pause(): void {
    this.#paused = true;
  }
  resume(): void {
    this.#paused = false;
  }
  isPaused(): boolean {
    return this.#paused;
  }
}

/** A connection to a Redis that says what the test says: everything but the socket is the real one's. */
export class ScriptedUpstream {
  ready = true;
  closed = false;
  readonly backlogBytes = 0;
  readonly scriptsMissing = false;
  readonly process = undefined;
  readonly replies: ReplyRouter;
  readonly rejected: Rejection[] = [];
  readonly options: Pick<Upstream["options"], "term" | "scripts" | "prove">;
  readonly #runs = new RunQueue();
  readonly #log: string[];
  #onClosed: (() => void) | undefined;

  /** @param log gets what is sent. @param proven what a question about a refusal finds out. */
  constructor(log: string[], term: number, scripts: ScriptStore, proven: () => boolean) {
    this.#log = log;
    const prove = (reply: Buffer, done: (rejection: Rejection | undefined) => void): void =>
      done(proven() ? rejectionOf(reply) : undefined);
    this.options = { term, scripts, prove };
    this.replies = new ReplyRouter(this.#runs, undefined, {
      rejects: rejectionOf,
      looksLikeRejection: (reply) => rejectionOf(reply) !== undefined,
      prove,
      reject: (rejection) => this.reject(rejection),
      fail: (message) => {
        throw new Error(message);
      },
      send: (question) => this.send(question),
      schedule: () => undefined,
    });
  }

  get inFlight(): number {
    return this.#runs.length;
  }

  send(run: Run): void {
    this.#runs.push(run);
    for (const { args } of commandsOf(run, table)) this.#log.push(args.map(String).join(" "));
  }

  ask(args: readonly string[], handler: ReplyHandler): void {
    this.send(Run.of(undefined, handler, { pieces: [encodeCommand(args)] }, 1));
  }

  onceClosed(callback: (() => void) | undefined): void {
    this.#onClosed = callback;
  }

  staysWhenReplaced(): void {}

  reject(rejection: Rejection): void {
    this.rejected.push(rejection);
  }

  /** Says this, in one piece. */
  say(...replies: string[]): void {
    this.replies.receive(Buffer.from(replies.map((reply) => `${reply}\r\n`).join("")));
  }

  /** Is lost. @param unsent of its runs in flight so many, the last ones, never left. */
  lose(unsent = 0): void {
    if (this.closed) return;
    this.ready = false;
    this.closed = true;
    this.replies.handBack(unsent, this.options.term);
    this.#onClosed?.();
    this.replies.settle();
  }

  destroy(): void {
    this.lose();
  }
}

/** One client's session without any network: the test says what its client and its masters say. */
export class LoneSession {
  readonly session: Session;
  /** What was sent to Redis since it was looked at last. */
  readonly sent: string[] = [];
  /** How often each metric was counted. */
  readonly counted: Record<string, number> = {};
  /** What a question about a refusal in Redis' own words finds out. */
  proven = false;
  shared: ScriptedUpstream;
  /** The client's own connections, in the order in which they were opened. */
  readonly own: ScriptedUpstream[] = [];
  readonly #socket = new ClientSocket();
  readonly #scripts = new ScriptStore(1e6);
  readonly #waiting = new Set<Waiter>();
  readonly #link: { state: LinkState; term: number };

  constructor() {
    this.shared = this.#open(1);
    const group = {
      denied: undefined,
      busy: undefined,
      problem: undefined,
      idle: false,
      accepted: true,
      retries: new OpenRetries(),
      current: () => (this.shared.ready ? this.shared : undefined),
      shared: (waiter: Waiter) => {
        if (this.shared.ready) return this.shared;
        this.#waiting.add(waiter);
        return undefined;
      },
      dedicated: (done: (upstream: ScriptedUpstream) => void) => {
        const upstream = this.#open(this.#link.term);
        this.own.push(upstream);
        queueMicrotask(() => done(upstream));
      },
      release: () => undefined,
      join: () => undefined,
      leave: (waiter: Waiter) => this.#waiting.delete(waiter),
    };
    const link = {
      state: "following" as LinkState,
      term: 1,
      holdTimeoutMs: 10_000,
      interruptions: 0,
      full: false,
      scripts: this.#scripts,
      suspects: new Turns(),
      group: () => group,
      rejects: rejectionOf,
      wait: (waiter: Waiter) => this.#waiting.add(waiter),
      forget: (waiter: Waiter) => this.#waiting.delete(waiter),
    };
    this.#link = link;
    const metrics = new Proxy(
      {},
      {
        get: (_, name: string) => ({
          inc: () => {
            this.counted[name] = (this.counted[name] ?? 0) + 1;
          },
        }),
      },
    );
    const host = {
      link,
      limits: defaultSessionLimits,
      metrics,
      server: { version: "7.0.0", greeting: { server: "redis", version: "7.0.0" }, databases: 16, table },
      budget: new ByteBudget(1e6, () => undefined),
      outputs: new OutputBudget(defaultSessionLimits),
      transactions: new TransactionBudget(1e6),
      subscriptions: new SubscriptionBudget(1e6),
      redirects: new RedirectTargets(),
    };
    const ignore = (): void => undefined;
    this.session = new Session(this.#socket as unknown as Socket, 1, host as unknown as SessionHost, ignore);
  }

  /** The last of the client's own connections. */
  get last(): ScriptedUpstream {
    const last = this.own.at(-1);
    if (last === undefined) throw new Error("the client has no connection of its own");
    return last;
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && !this.#socket.writableEnded;
  }

  /** The client sends commands, in one packet. */
  async type(...commands: string[]): Promise<void> {
    this.session.received(Buffer.concat(commands.map((command) => encodeCommand(command.split(" ")))));
    await settled();
  }

  /** What the client was told since it was looked at last. */
  told(): string[] {
    const lines = this.#socket.text.split("\r\n").slice(0, -1);
    this.#socket.text = "";
    return lines;
  }

  /** What Redis got since it was looked at last. */
  asked(): string[] {
    return this.sent.splice(0);
  }

  /** There is no master. */
  hold(): void {
    this.#link.state = "holding";
  }

  /** Another master is there, and all who have waited go on. */
  async promote(): Promise<void> {
    this.#link.term++;
    this.#link.state = "following";
    if (!this.shared.ready) this.shared = this.#open(this.#link.term);
    for (const waiter of [...this.#waiting]) {
      this.#waiting.delete(waiter);
      waiter.wake();
    }
    await settled();
  }

  #open(term: number): ScriptedUpstream {
    return new ScriptedUpstream(this.sent, term, this.#scripts, () => this.proven);
  }
}

/** What was begun in microtasks is over. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
