import type { Socket } from "node:net";
import { ProtocolError } from "../../runtime/protocol-error.ts";
import { encodeError, encodeReply, type ReplyValue } from "../resp/encode-reply.ts";
import { ClientSession, type SentinelApi } from "./client-session.ts";
import type { ClientState } from "./client-state.ts";
import { CommandReader } from "./command-reader.ts";

/** Unread bytes above which a client is dropped. Answers stop long before, so that only messages can add up to it. */
const maxUnreadBytes = 1024 * 1024;
/** Milliseconds that a client has to read the last answers. */
const lingerMs = 1000;

export interface ClientConnectionOptions {
  readonly socket: Socket;
  readonly state: ClientState;
  readonly api: SentinelApi;
  /** Milliseconds for the rest of a command, for the first authentication, and for reading answers that are due. */
  readonly patienceMs: number;
}

/**
 * The socket of one client, within bounds: of its input, of the time that it may take, and of what it leaves unread.
 * Commands are answered in their order, and no more of them than the client reads the answers of.
 */
export class ClientConnection {
  readonly state: ClientState;
  readonly #socket: Socket;
  readonly #api: SentinelApi;
  readonly #session: ClientSession;
  readonly #reader = new CommandReader();
  readonly #patienceMs: number;
  readonly #authentication: NodeJS.Timeout;
  /** Runs while the client owes something: the rest of a command, or reading. */
  #deadline: NodeJS.Timeout | undefined;
  #working = false;
  #inputEnded = false;
  #ended = false;

  constructor({ socket, state, api, patienceMs }: ClientConnectionOptions) {
    this.state = state;
    this.#socket = socket;
    this.#api = api;
    this.#session = new ClientSession(api, state);
    this.#patienceMs = patienceMs;
    this.#authentication = setTimeout(() => {
      if (state.user === undefined) this.end();
    }, patienceMs);
    socket
      .on("error", () => undefined)
      .on("close", () => this.#stop())
      .on("data", (chunk: Buffer) => {
        this.#reader.push(chunk);
        this.#work();
      })
      .on("end", () => {
        this.#inputEnded = true;
        this.#work();
      })
      .on("drain", () => this.#work());
  }

  /** Sends a message to a client that listens to its channel. */
  publish(channel: string, message: string): void {
    this.#send(this.#session.messages(channel, message));
  }

  /** Ends the connection after what was answered, and cuts off a client that doesn't read it. */
  end(lastWord: Uint8Array = new Uint8Array()): void {
    if (this.#ended) return;
    this.#stop();
    const cutOff = setTimeout(() => this.#socket.destroy(), lingerMs);
    this.#socket.once("close", () => clearTimeout(cutOff));
    this.#socket.resume().end(lastWord);
  }

  #stop(): void {
    this.#ended = true;
    clearTimeout(this.#authentication);
    clearTimeout(this.#deadline);
  }

  #work(): void {
    if (this.#working || this.#ended) return;
    this.#working = true;
    this.#answerCommands()
      .catch((error: unknown) => {
        if (error instanceof ProtocolError) {
          this.end(encodeError(`ERR Protocol error: ${error.message}`));
        } else {
          this.#api.report(error);
          this.end(encodeError("ERR internal error"));
        }
      })
      .finally(() => {
        this.#working = false;
      });
  }

  /** Answers what is complete, and waits for no more than one thing at a time: a command, its answer, or the reader. */
  async #answerCommands(): Promise<void> {
    this.#socket.pause();
    while (!this.#ended) {
      if (this.#socket.writableNeedDrain) return this.#setDeadline();
      const args = this.#reader.next(this.state.user !== undefined);
      if (args === undefined) break;
      this.#clearDeadline();
      const { replies, close = false } = await this.#session.handle(args);
      this.#send(replies);
      if (close) this.end();
    }
    if (this.#ended) return;
    if (this.#inputEnded) return this.end();
    if (this.#reader.partial) this.#setDeadline();
    else this.#clearDeadline();
    this.#socket.resume();
  }

  #send(replies: readonly ReplyValue[]): void {
    if (this.#ended) return;
    // What is answered in one turn leaves in one write.
    this.#socket.cork();
    process.nextTick(() => this.#socket.uncork());
    for (const reply of replies) this.#socket.write(encodeReply(reply, this.state.protocol));
    if (this.#socket.writableLength > maxUnreadBytes) this.#socket.destroy();
  }

  /** Leaves a deadline that runs as it is: sending byte by byte buys no time. */
  #setDeadline(): void {
    this.#deadline ??= setTimeout(() => this.#socket.destroy(), this.#patienceMs);
  }

  #clearDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }
}
