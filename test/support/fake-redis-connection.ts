import type { Socket } from "node:net";
import type { FakeRedis } from "./fake-redis.ts";
import { handlers } from "./fake-redis-handlers.ts";
import { refusalOf } from "./fake-redis-refusals.ts";
import { decode, encode, Raw, type Reply } from "./fake-server.ts";
import type { LoggedCommand } from "./logged-command.ts";

/** A command that waits for an element of a list. */
interface Blocked {
  readonly keys: readonly string[];
  readonly from: "left" | "right";
  readonly resolve: (reply: Reply) => void;
}

/** One connection of a {@link FakeRedis}: takes one command up after the other, and answers in that order. */
export class FakeRedisConnection {
  readonly id: number;
  readonly redis: FakeRedis;
  user = "";
  db = 0;
  protocol: 2 | 3 = 2;
  tracking = false;
  replyMode: "on" | "off" | "skip" = "on";
  /** It has written: WAIT has something to wait for. */
  wrote = false;
  /** Commands of the open MULTI. */
  queued: LoggedCommand[] | undefined;
  /** A command of the open MULTI was refused. */
  queueBroken = false;
  readonly watched = new Map<string, number>();
  readonly subscriptions = new Set<string>();
  readonly #socket: Socket;
  readonly #waiting: (readonly string[])[] = [];
  #text = "";
  #busy = false;
  #blocked: Blocked | undefined;

  constructor(id: number, socket: Socket, redis: FakeRedis) {
    this.id = id;
    this.redis = redis;
    this.#socket = socket;
    this.user = redis.users === undefined ? "default" : "";
    socket
      .on("error", () => undefined)
      .on("data", (chunk: Buffer) => {
        const { commands, rest } = decode(this.#text + chunk.toString("latin1"));
        this.#text = rest;
        this.#waiting.push(...commands);
        this.#work().catch((error: unknown) => socket.destroy(error instanceof Error ? error : undefined));
      });
  }

  /** RESP3's null, or RESP2's null bulk string. */
  get nil(): Raw {
    return new Raw(this.protocol === 3 ? "_\r\n" : "$-1\r\n");
  }

  /** RESP3's null, or RESP2's null array. */
  get nilArray(): Raw {
    return new Raw(this.protocol === 3 ? "_\r\n" : "*-1\r\n");
  }

  /** A map in RESP3, a flat list in RESP2. */
  map(fields: Readonly<Record<string, Reply>>): Reply {
    const flat = Object.entries(fields).flat();
    if (this.protocol === 2) return flat;
    return new Raw(`%${flat.length / 2}\r\n${flat.map(encode).join("")}`);
  }

  /** A push in RESP3, a list in RESP2. */
  push(...items: Reply[]): string {
    return encode(items).replace(/^\*/, this.protocol === 3 ? ">" : "*");
  }

  /** Sends bytes that aren't the reply to anything. */
  write(bytes: string): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes, "latin1");
  }

  /** Stops reading, as a peer with a full receive buffer. */
  pause(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Sends a message of a channel when it is subscribed, and gives how often. */
  tell(channel: string, message: string): number {
    if (!this.subscriptions.has(`SUBSCRIBE ${channel}`)) return 0;
    this.write(this.push("message", channel, message));
    return 1;
  }

  /** Waits until a list has an element, or for so long. */
  async block(keys: readonly string[], from: "left" | "right", timeoutMs: number): Promise<Reply> {
    const { promise, resolve } = Promise.withResolvers<Reply>();
    this.#blocked = { keys, from, resolve };
    const timer = timeoutMs === 0 ? undefined : setTimeout(() => resolve(this.nilArray), timeoutMs);
    this.#socket.once("close", () => resolve(this.nilArray));
    this.serveBlocked();
    const reply = await promise;
    clearTimeout(timer);
    this.#blocked = undefined;
    return reply;
  }

  /** Ends a blocked command as Redis does when it becomes a replica; false when there is none. */
  unblock(): boolean {
    if (this.#blocked === undefined) return false;
    this.write(
      "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n",
    );
    return true;
  }

  get isBlocked(): boolean {
    return this.#blocked !== undefined;
  }

  /** A list may have got an element. */
  serveBlocked(): void {
    if (this.#blocked === undefined || this.#socket.destroyed) return;
    const { keys, from, resolve } = this.#blocked;
    const found = this.redis.data.pop(this.db, keys, from);
    if (found !== undefined) resolve(found);
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (;;) {
        await this.redis.awake();
        const args = this.#waiting.shift();
        if (args === undefined || this.#socket.destroyed) return;
        await this.#take(args);
      }
    } finally {
      this.#busy = false;
    }
  }

  async #take(args: readonly string[]): Promise<void> {
    const { user, db, protocol } = this;
    const entry: LoggedCommand = {
      connection: this.id,
      ...{ args, text: args.join(" "), user, db, protocol },
      executed: false,
    };
    this.redis.log.push(entry);
    const fault = this.redis.takeFault(entry.text);
    if (fault === undefined) {
      const reply = await this.#execute(entry);
      if (this.replyMode === "on") this.write(encode(reply));
      else if (this.replyMode === "skip" && !/^CLIENT REPLY/i.test(entry.text)) this.replyMode = "on";
      return;
    }
    const execute = (): string => {
      const reply = this.#execute(entry);
      if (reply instanceof Promise) throw new Error(`${entry.text} blocks: this fault can't be used with it`);
      return encode(reply);
    };
    await fault({
      execute,
      write: (bytes) => this.write(bytes),
      breakTransaction: () => {
        this.queueBroken = this.queued !== undefined;
      },
      close: () => this.close(),
    });
  }

  /** Refuses it, queues it in a MULTI, or does it. */
  #execute(entry: LoggedCommand): Reply | Promise<Reply> {
    const [name = ""] = entry.args;
    const upper = name.toUpperCase();
    const refusal = refusalOf(this, upper);
    if (refusal !== undefined) {
      if (this.queued !== undefined) this.queueBroken = true;
      return new Raw(`-${refusal}\r\n`);
    }
    if (this.queued !== undefined && !/^(EXEC|DISCARD|MULTI|WATCH|QUIT|RESET)$/.test(upper)) {
      this.queued.push(entry);
      return new Raw("+QUEUED\r\n");
    }
    entry.executed = true;
    return this.perform(entry.args);
  }

  /** Does a command, also one of a MULTI at its EXEC. */
  perform(args: readonly string[]): Reply | Promise<Reply> {
    const [name = ""] = args;
    if (this.redis.table?.hasFlag(name, "write") === true) this.wrote = true;
    const handler = handlers[name.toUpperCase()];
    if (handler !== undefined) return handler(this, args);
    return this.redis.data.execute(this.db, args, this.nil) ?? new Raw(`-ERR unknown command '${name}'\r\n`);
  }
}
