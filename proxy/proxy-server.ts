import type { Logger } from "pino";
import { ControlConnection, type ControlConnectionOptions } from "../quorum/control-connection.ts";
import type { MasterState } from "../quorum/master-state.ts";
import { MasterWatcher } from "../quorum/master-watcher.ts";
import { type Address, sameAddress } from "../runtime/address.ts";
import { messageOf } from "../runtime/log.ts";
import { isSource, type MoveSource } from "../runtime/move-source.ts";
import type { TlsFiles } from "../runtime/tls-files.ts";
import { CommandTable } from "./commands/command-table.ts";
import { FailoverLog } from "./failover-log.ts";
import { MemoryRelief } from "./memory-relief.ts";
import { createMetrics, type ProxyMetrics } from "./metrics.ts";
import type { ReplyValue } from "./resp/encode-reply.ts";
import { ByteBudget } from "./session/byte-budget.ts";
import { ClientListener } from "./session/client-listener.ts";
import { OutputBudget } from "./session/output-budget.ts";
import { RedirectTargets } from "./session/redirect-targets.ts";
import {
  defaultSessionLimits,
  type ServerProfile,
  type SessionHost,
  type SessionLimits,
} from "./session/session-host.ts";
import { SubscriptionBudget } from "./session/subscriptions.ts";
import { TransactionBudget } from "./session/transaction.ts";
import { Authenticator } from "./upstream/authenticator.ts";
import { loadProfile } from "./upstream/load-profile.ts";
import { MasterLink } from "./upstream/master-link.ts";

export interface ProxyServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Other processes listen on the same port, and the kernel gives each its part of the clients. Default false. */
  readonly reusePort?: boolean;
  readonly maxClients: number;
  /** Connections to the master for single clients. */
  readonly maxDedicated: number;
  /** Milliseconds for which commands are held without a master. */
  readonly holdTimeoutMs: number;
  /** With it a write is acknowledged when a replica has it, too, which may take so many milliseconds. */
  readonly durabilityTimeoutMs?: number;
  /** Replicas that it waits for if they have the write soon. Default 1. */
  readonly durabilityReplicas?: number;
  /** Replicas that must have a write, and without which a master isn't used at all. Unset: one must have a write, and a master is used without any. */
  readonly quorumReplicas?: number;
  readonly sentinels: readonly Address[];
  readonly masterName: string;
  /** The proxy's own password, for its questions to Redis and Sentinels. */
  readonly password: () => string | undefined;
  /** The user that it belongs to. Default: the one named `default`. */
  readonly username?: string | undefined;
  /** With it the connections to Redis and the Sentinels are encrypted. */
  readonly serverTls?: TlsFiles | undefined;
  /** The Redis whose data this set takes over: until it has, clients are sent there. */
  readonly moveSource?: MoveSource | undefined;
  /** With it clients have to use TLS. */
  readonly clientTls?: TlsFiles | undefined;
  readonly log: Logger;
  readonly limits?: Partial<SessionLimits>;
  /** Commands that are passed on although they are denied by default. */
  readonly allowedCommands?: ReadonlySet<string>;
  /** Answers `SENTINEL …` on the data port. Unset: such a command is unknown. */
  readonly answerSentinel?: ((args: readonly Buffer[]) => ReplyValue) | undefined;
}

/** Clients that have said nothing yet. */
const withoutPassword = { credentials: undefined, db: 0, protocol: 2 } as const;

/** The same Redis isn't asked for its commands again within this time, ms: it may be suspected many times a second. */
const profileForMs = 10_000;
/** A new master is asked for them when those who have waited for it are served, ms. Until then those of the old one count. */
const profileAfterMs = 250;

/** The data path with everything that it needs: a watcher, the link to the master, and the listener for clients. */
export class ProxyServer {
  readonly watcher: MasterWatcher;
  readonly metrics: ProxyMetrics;
  readonly #options: ProxyServerOptions;
  readonly #link: MasterLink;
  readonly #listener: ClientListener;
  readonly #failovers: FailoverLog;
  readonly #host: { server: ServerProfile };
  #profileOf: (MasterState & { readonly kind: "following" }) | undefined;
  #profileAt = Number.NEGATIVE_INFINITY;
  #profileTimer: NodeJS.Timeout | undefined;
  #everFollowed = false;

  constructor(options: ProxyServerOptions) {
    this.#options = options;
    const {
      sentinels,
      masterName,
      username,
      password,
      log,
      holdTimeoutMs,
      durabilityTimeoutMs,
      serverTls: tls,
      moveSource,
    } = options;
    const watcher = new MasterWatcher({
      ...{ sentinels, masterName, username, password, tls, source: moveSource },
      // Reads end so soon after a master has lost its majority, and begin so soon after a new one has it: nobody tells of that.
      ...(options.quorumReplicas === undefined
        ? {}
        : { neededReplicas: options.quorumReplicas, followingEveryMs: 500, searchingEveryMs: 25 }),
    });
    this.watcher = watcher;
    const limits = { ...defaultSessionLimits, ...options.limits };
    const relief = new MemoryRelief(limits.collectAfterBytes);
    const budget = new ByteBudget(limits.heldBytesInAll, (bytes) => relief.keep(bytes));
    const metrics = createMetrics(watcher, {
      clients: () => this.#listener.clients,
      upstreams: () => this.#link.upstreams,
      quorumReplicas: options.quorumReplicas ?? 0,
      holding: () => this.#link.state !== "following",
      waiting: () => this.#link.waiting,
      heldBytes: () => budget.total,
    });
    this.metrics = metrics;
    this.#link = new MasterLink({
      holdTimeoutMs,
      maxDedicated: options.maxDedicated,
      log,
      tls,
      durability:
        durabilityTimeoutMs === undefined
          ? undefined
          : {
              timeoutMs: durabilityTimeoutMs,
              replicas: options.durabilityReplicas ?? 1,
              needed: options.quorumReplicas ?? 1,
              observe: (outcome, seconds) => {
                metrics.confirmations.inc({ outcome });
                metrics.confirmationTime.observe(seconds);
              },
            },
      closesFirst: (address) => isSource(moveSource, address),
      askInfo: async (address) => {
        const connection = new ControlConnection(this.#loginAt(address));
        try {
          return String(await connection.call("INFO"));
        } finally {
          connection.close();
        }
      },
      own: (address) => {
        const { username: user, password } = this.#loginAt(address);
        const own = password();
        if (own === undefined) return undefined;
        return user === undefined ? { password: own } : { user, password: own };
      },
      scriptBytes: limits.scriptBytes,
      suspect: (reason) => watcher.suspect(reason),
      resume: () => this.#link.follow(watcher.state),
      released: () => budget.admit(),
      rejected: (rejection) => metrics.rejections.inc({ code: rejection }),
      held: (seconds) => metrics.holds.observe(seconds),
    });
    const host: SessionHost & { server: ServerProfile } = {
      link: this.#link,
      authenticator: new Authenticator(this.#link),
      limits,
      metrics,
      server: {
        version: "7.0.0",
        greeting: { server: "redis", version: "7.0.0" },
        databases: 16,
        table: new CommandTable([]),
      },
      answerSentinel: options.answerSentinel,
      budget,
      transactions: new TransactionBudget(limits.transactionBytesInAll),
      subscriptions: new SubscriptionBudget(limits.subscribedBytesInAll),
      redirects: new RedirectTargets(),
      outputs: new OutputBudget(limits),
    };
    this.#host = host;
    this.#failovers = new FailoverLog(log, () => this.metrics.failovers.inc());
    this.#listener = new ClientListener(
      {
        ...options,
        tls: options.clientTls,
        onProblem: (error) => log.error({ error: messageOf(error) }, "changed TLS files can't be used"),
      },
      host,
    );
    watcher.on("change", (state) => this.#follow(state));
  }

  /** There was a verified master: it is ready, also while it holds commands. */
  get everFollowed(): boolean {
    return this.#everFollowed;
  }

  get clients(): number {
    return this.#listener.clients;
  }

  get serverVersion(): string {
    return this.#host.server.version;
  }

  async start(): Promise<void> {
    await this.#listener.listen();
    this.watcher.start();
  }

  /** Takes no more clients, and closes each at a command's boundary; resolves when the last has gone. */
  drain(): Promise<void> {
    return this.#listener.close();
  }

  /** Ends everything that is left. */
  async stop(): Promise<void> {
    this.#listener.destroy();
    clearTimeout(this.#profileTimer);
    this.#link.close();
    await this.watcher.stop();
  }

  #follow(state: MasterState): void {
    this.#failovers.record(state);
    if (state.kind === "following" && !this.#everFollowed) {
      // Without the server's commands nothing can be told apart: nobody is served before they are known.
      this.#loadProfile(state);
      return;
    }
    this.#link.follow(state);
    clearTimeout(this.#profileTimer);
    if (state.kind !== "following" || state.busy === true) return;
    // To read a list of all commands takes 10 ms, for which everybody who has waited for this master would wait on.
    this.#profileTimer = setTimeout(() => this.#loadProfile(state), profileAfterMs).unref();
  }

  /** How the proxy's own questions reach a Redis. */
  #loginAt(
    address: Address,
  ): Pick<ControlConnectionOptions, "address" | "username" | "tls"> &
    Required<Pick<ProxyServerOptions, "password">> {
    const { moveSource, username, password, serverTls } = this.#options;
    if (isSource(moveSource, address)) return moveSource;
    return { address, username, password, tls: serverTls };
  }

  #loadProfile(state: MasterState & { readonly kind: "following" }): void {
    const known = this.#profileOf;
    const recent = performance.now() - this.#profileAt < profileForMs;
    if (recent && known !== undefined && sameAddress(known.master, state.master)) return;
    this.#profileAt = performance.now();
    this.#profileOf = state;
    const connection = new ControlConnection({ ...this.#loginAt(state.master), timeoutMs: 1000 });
    loadProfile(connection)
      .then(
        (profile) => {
          if (this.#profileOf !== state) return;
          const allowed = this.#options.allowedCommands ?? new Set();
          this.#host.server = { ...profile, table: profile.table.allowing(allowed) };
          const first = !this.#everFollowed;
          this.#everFollowed = true;
          if (!first) return;
          this.#link.follow(this.watcher.state);
          // Whether clients need a password is known before the first of them comes.
          this.#link.group(withoutPassword).shared({ wake: () => undefined }, "small");
        },
        (error: unknown) => {
          this.#profileAt = Number.NEGATIVE_INFINITY;
          this.#options.log.warn({ error: messageOf(error) }, "the master doesn't tell its commands");
          if (!this.#everFollowed) this.watcher.suspect(messageOf(error));
        },
      )
      .finally(() => connection.close());
  }
}
