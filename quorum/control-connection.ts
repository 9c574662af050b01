import { Redis } from "ioredis";
import { type Address, formatAddress } from "../runtime/address.ts";
import { afterSocketsWereRead } from "../runtime/after-sockets-were-read.ts";
import { serverName, type TlsFiles } from "../runtime/tls-files.ts";

/** How to reach one Redis or Sentinel for questions and orders. */
export interface ControlConnectionOptions {
  readonly address: Address;
  /** Asked before each connection attempt, so that a rotated password is picked up. Unset: no AUTH. */
  readonly password?: (() => string | undefined) | undefined;
  /** The user that the password belongs to. Default: the one named `default`. */
  readonly username?: string | undefined;
  /** With it the connection is encrypted, and the server has to prove who it is. */
  readonly tls?: TlsFiles | undefined;
  /** Whom its certificate has to name, when that isn't the address: its own server is reached by the loopback. Default: the address. */
  readonly provesToBe?: Address | undefined;
  /** Bound for connecting and for each reply. Default 300 ms. */
  readonly timeoutMs?: number;
}

/**
 * A connection for questions to one Redis or Sentinel: it connects when first used, is thrown away at the first
 * error and opened anew by the next question. Nothing is queued or retried, so an answer is never about the past.
 */
export class ControlConnection {
  readonly address: Address;
  readonly #password: () => string | undefined;
  readonly #username: string | undefined;
  readonly #tls: TlsFiles | undefined;
  readonly #provesToBe: Address;
  readonly #timeoutMs: number;
  #client: Redis | undefined;
  #connecting: Promise<void> | undefined;
  #lastError: Error | undefined;
  /** The calls that wait. They end with the connection: a frozen peer closes nothing, and the client would wait for that. */
  readonly #waiting = new Set<Deadline>();

  constructor({
    address,
    username,
    tls,
    provesToBe = address,
    password = () => undefined,
    timeoutMs = 300,
  }: ControlConnectionOptions) {
    this.address = address;
    this.#password = password;
    this.#username = username;
    this.#tls = tls;
    this.#provesToBe = provesToBe;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Sends one command and gives its reply.
   *
   * @throws {Error} naming the address when it can't be reached, doesn't answer in time or answers with an error.
   */
  async call(command: string, ...args: (string | number)[]): Promise<unknown> {
    const client = this.#open();
    // One bound over look-up, connecting and AUTH, and one for the reply: a peer may accept the connection and then say nothing.
    const deadline = new Deadline(this.#timeoutMs);
    this.#waiting.add(deadline);
    try {
      return await Promise.race([this.#exchange(client, command, args, deadline), deadline.passed]);
    } catch (error) {
      const cause = this.#lastError ?? error;
      const message = cause instanceof Error ? cause.message : String(cause);
      // An error reply (LOADING, BUSY, …) says that the peer lives: only then the connection is kept. One about the
      // password says that it has changed: the next question reads it again.
      const isReply = error instanceof Error && error.name === "ReplyError";
      if (!isReply || /^(NOAUTH|WRONGPASS)\b/.test(error.message)) this.#drop(client);
      throw new Error(`${formatAddress(this.address)}: ${message}`, { cause });
    } finally {
      deadline.cancel();
      this.#waiting.delete(deadline);
    }
  }

  /** Closes the connection; a later call opens a new one. */
  close(): void {
    if (this.#client !== undefined) this.#drop(this.#client);
  }

  async #exchange(
    client: Redis,
    command: string,
    args: readonly (string | number)[],
    deadline: Deadline,
  ): Promise<unknown> {
    await this.#connecting;
    deadline.restart();
    return client.call(command, ...args);
  }

  #open(): Redis {
    if (this.#client !== undefined) return this.#client;
    const password = this.#password();
    const username = this.#username;
    const client = new Redis({
      host: this.address.host,
      port: this.address.port,
      ...(password === undefined ? {} : { password, ...(username === undefined ? {} : { username }) }),
      ...(this.#tls === undefined ? {} : { tls: { ...this.#tls.read(), ...serverName(this.#provesToBe) } }),
      protocol: 2,
      lazyConnect: true,
      // Its own bounds count a pause of this process as the peer's; they only end what nobody waits for any more.
      connectTimeout: this.#timeoutMs * 10,
      retryStrategy: null,
      maxRetriesPerRequest: 0,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      disableClientInfo: true,
    });
    this.#client = client;
    this.#lastError = undefined;
    client.on("error", (error: Error) => {
      this.#lastError = error;
    });
    // Only forgotten, not disconnected once more: that would leave a timer of the client behind for two seconds.
    client.on("close", () => {
      if (this.#client === client) this.#client = undefined;
    });
    this.#connecting = client.connect();
    // The callers await the same promise; this keeps a call that was dropped meanwhile from being unhandled.
    this.#connecting.catch(() => undefined);
    return client;
  }

  #drop(client: Redis): void {
    if (this.#client === client) {
      this.#client = undefined;
      for (const deadline of this.#waiting) deadline.fail(new Error("the connection was closed"));
    }
    client.disconnect();
  }
}

/**
 * A promise that fails after a time or before, unless it is cancelled. When this process was paused, or had no processor, timers come before what has
 * arrived meanwhile is read: that is looked at first, so that nobody is called silent who has answered.
 */
class Deadline {
  readonly passed: Promise<never>;
  readonly fail: (error: Error) => void;
  readonly #ms: number;
  #timer: NodeJS.Timeout;
  #over = false;

  constructor(ms: number) {
    this.#ms = ms;
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    this.passed = promise;
    this.fail = reject;
    this.#timer = this.#start();
  }

  /** Begins the time anew. */
  restart(): void {
    clearTimeout(this.#timer);
    if (!this.#over) this.#timer = this.#start();
  }

  cancel(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #start(): NodeJS.Timeout {
    const timer: NodeJS.Timeout = setTimeout(
      () =>
        afterSocketsWereRead(() => {
          // It may have begun anew, because the connection has come.
          if (this.#timer === timer) this.fail(new Error(`no answer within ${this.#ms} ms`));
        }),
      this.#ms,
    );
    return timer;
  }
}
