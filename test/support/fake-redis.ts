import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import type { CommandTable } from "./command-table.ts";
import { FakeRedisConnection } from "./fake-redis-connection.ts";
import { FakeRedisData } from "./fake-redis-data.ts";
import type { Fault } from "./fake-redis-faults.ts";
import type { LoggedCommand } from "./logged-command.ts";

const newId = (): string => randomBytes(20).toString("hex");

/** Commands that a proxy sends of its own accord, and that tell nothing of what clients did. */
const ownCommands =
  /^(HELLO|AUTH|SELECT|ROLE|PING|COMMAND|INFO|CONFIG GET|EXISTS warm-up|CLIENT (SETNAME|SETINFO|NO-EVICT|ID))\b/i;

/**
 * A Redis that does as much as a test needs, logs every command with its connection, and fails on demand: see
 * {@link FakeRedis.once} with the faults of fake-redis-faults.ts, {@link FakeRedis.freeze} and
 * {@link FakeRedis.becomeReplica}.
 */
export class FakeRedis {
  /** The name of the history that its data belong to, and of the one that they came from (`INFO replication`). */
  history = { current: newId(), former: "0".repeat(40) };
  /** Replicas that keep up, as a master with a minimum of them counts. */
  goodReplicas = 0;
  /** User → password; undefined: no password is needed. */
  users: ReadonlyMap<string, string> | undefined;
  readonly data = new FakeRedisData();
  /** Every command of every connection, in the order in which they were taken up. */
  readonly log: LoggedCommand[] = [];
  readonly connections = new Set<FakeRedisConnection>();
  readonly table: CommandTable | undefined;
  #role: "master" | "slave" = "master";
  readonly #rules: { readonly pattern: RegExp; readonly fault: Fault; times: number }[] = [];
  #accepted = 0;
  #port = 0;
  #server: Server | undefined;
  #thawed: Promise<void> | undefined;
  #thaw: () => void = () => undefined;

  /** @param table what COMMAND answers, and which commands are writes; without it COMMAND is an error. */
  constructor(table?: CommandTable) {
    this.table = table;
    this.data.onPush = () => {
      for (const connection of this.connections) connection.serveBlocked();
    };
  }

  get role(): "master" | "slave" {
    return this.#role;
  }

  /** A replica that becomes master begins a history of its own. */
  set role(role: "master" | "slave") {
    if (role === "master" && this.#role === "slave") {
      this.history = { current: newId(), former: this.history.current };
    }
    this.#role = role;
  }

  /** Is a replica of this one from now on. */
  replicate(master: FakeRedis): void {
    this.role = "slave";
    this.history = { ...master.history };
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: "127.0.0.1", port: this.#port };
  }

  get port(): number {
    return this.#port;
  }

  /** The default user's password, of new connections. */
  set password(password: string) {
    this.users = new Map([["default", password]]);
  }

  /** Connections that were ever accepted. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Listens, at its second start on the same port as before. */
  async start(): Promise<this> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
      .once("error", reject)
      .listen(this.#port, "127.0.0.1", resolve);
    await promise;
    const address = this.#server.address();
    if (address !== null && typeof address === "object") this.#port = address.port;
    return this;
  }

  /** Is killed: connections are reset and new ones refused. */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server?.close(() => resolve());
    this.disconnectAll();
    this.thaw();
    await promise;
  }

  disconnectAll(): void {
    for (const connection of this.connections) connection.close();
  }

  /** Like SIGSTOP: the kernel still accepts connections and bytes, nobody answers. */
  freeze(): void {
    if (this.#thawed !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#thawed = promise;
    this.#thaw = resolve;
  }

  /** Like SIGCONT: answers everything that came meanwhile. */
  thaw(): void {
    this.#thawed = undefined;
    this.#thaw();
  }

  /** Resolves at once unless it is frozen. */
  async awake(): Promise<void> {
    while (this.#thawed !== undefined) await this.#thawed;
  }

  /**
   * A failover made it a replica. Sentinel has the clients killed (`CLIENT KILL TYPE normal`); without that they get READONLY.
   * Blocked clients get UNBLOCKED first, as Redis does.
   */
  becomeReplica({ kill = true }: { readonly kill?: boolean } = {}): void {
    this.role = "slave";
    for (const connection of this.connections) {
      if (connection.unblock() || kill) connection.close();
    }
  }

  /** The next command that matches fails like this. The pattern is matched with `SET a 1`. */
  once(pattern: RegExp, fault: Fault): void {
    this.#rules.push({ pattern, fault, times: 1 });
  }

  /** Every command that matches fails like this, until {@link behave}. */
  always(pattern: RegExp, fault: Fault): void {
    this.#rules.push({ pattern, fault, times: Number.POSITIVE_INFINITY });
  }

  /** No more faults. */
  behave(): void {
    this.#rules.length = 0;
  }

  /** The fault of this command, which is used up by asking. */
  takeFault(text: string): Fault | undefined {
    const rule = this.#rules.find(({ pattern, times }) => times > 0 && pattern.test(text));
    if (rule === undefined) return undefined;
    rule.times--;
    return rule.fault;
  }

  /** Clients' commands that arrived, `SET a 1`. */
  get arrived(): string[] {
    return this.clientCommands.map(({ text }) => text);
  }

  /** Clients' commands that were executed, `SET a 1`. */
  get executed(): string[] {
    return this.clientCommands.filter(({ executed }) => executed).map(({ text }) => text);
  }

  /** What clients sent, without the proxy's own handshakes and probes. */
  get clientCommands(): LoggedCommand[] {
    return this.log.filter(({ text }) => !ownCommands.test(text));
  }

  /** The connection on which a command arrived last. */
  connectionOf(text: string): number {
    const found = this.log.findLast((entry) => entry.text === text);
    if (found === undefined) throw new Error(`'${text}' has not arrived: ${this.arrived.join(", ")}`);
    return found.connection;
  }

  isOpen(connection: number): boolean {
    return [...this.connections].some(({ id }) => id === connection);
  }

  /** Tells subscribers, and gives their number. */
  publish(channel: string, message: string): number {
    let told = 0;
    for (const connection of this.connections) told += connection.tell(channel, message);
    return told;
  }

  #accept(socket: Socket): void {
    const connection = new FakeRedisConnection(++this.#accepted, socket, this);
    this.connections.add(connection);
    socket.once("close", () => this.connections.delete(connection));
  }
}
