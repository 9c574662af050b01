import { createServer, type Server, type Socket } from "node:net";

/** A reply that is sent as it is. */
export class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Reply = string | number | Raw | readonly Reply[];

/** Encodes a reply: text as a bulk string, a list as an array. */
export function encode(reply: Reply): string {
  if (reply instanceof Raw) return reply.text;
  if (typeof reply === "number") return `:${reply}\r\n`;
  if (typeof reply === "string") return `$${Buffer.byteLength(reply)}\r\n${reply}\r\n`;
  return `*${reply.length}\r\n${reply.map(encode).join("")}`;
}

/** Complete commands at the beginning of `text`, and what is left. Clients of these tests send arrays of bulk strings. */
export function decode(text: string): { readonly commands: string[][]; readonly rest: string } {
  const commands: string[][] = [];
  let rest = text;
  for (;;) {
    const count = /^\*(\d+)\r\n/.exec(rest);
    if (count === null) return { commands, rest };
    let position = count[0].length;
    const words: string[] = [];
    while (words.length < Number(count[1])) {
      const length = /^\$(\d+)\r\n/.exec(rest.slice(position));
      if (length === null) return { commands, rest };
      const begin = position + length[0].length;
      const end = begin + Number(length[1]);
      if (rest.length < end + 2) return { commands, rest };
      words.push(rest.slice(begin, end));
      position = end + 2;
    }
    commands.push(words);
    rest = rest.slice(position);
  }
}

/** A server that speaks as much of the Redis protocol as a test needs, and misbehaves on demand. */
export abstract class FakeServer {
  /** Undefined: none is asked for. */
  password: string | undefined;
  /** Answers come this much later. */
  delayMs = 0;
  /** Sent in place of every answer. */
  garbage: string | undefined;
  /** Commands that were received, `SENTINEL MASTER mymaster`. */
  readonly received: string[] = [];
  #port = 0;
  #server: Server | undefined;
  #frozen = false;
  readonly #abandoned = new WeakSet<Socket>();
  readonly #connections = new Map<Socket, { authenticated: boolean; text: string }>();

  get port(): number {
    return this.#port;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: "127.0.0.1", port: this.#port };
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Listens, at its second start on the same port as before. */
  async start(): Promise<this> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server = createServer((socket) => this.#accept(socket))
      .once("error", reject)
      .listen(this.#port, "127.0.0.1", resolve);
    await promise;
    const address = this.#server.address();
    if (address !== null && typeof address === "object") this.#port = address.port;
    return this;
  }

  /** Is gone: connections end and new ones are refused. */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server?.close(() => resolve());
    this.disconnectAll();
    await promise;
  }

  disconnectAll(): void {
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  /** Like a host without power: connections of before stay, as far as the other side knows, and nothing comes of them. New ones are served. */
  abandonConnections(): void {
    for (const socket of this.#connections.keys()) this.#abandoned.add(socket);
  }

  /** Nothing is sent there any more. */
  protected isAbandoned(socket: Socket): boolean {
    return this.#abandoned.has(socket);
  }

  /** Like SIGSTOP: the kernel still accepts connections and bytes, nobody answers. */
  freeze(): void {
    this.#frozen = true;
  }

  /** Like SIGCONT: answers everything that came meanwhile. */
  thaw(): void {
    this.#frozen = false;
    for (const socket of this.#connections.keys()) this.#work(socket);
  }

  /** The reply to one command. */
  protected abstract answer(command: readonly string[], socket: Socket): Reply;

  #accept(socket: Socket): void {
    this.#connections.set(socket, { authenticated: false, text: "" });
    socket
      .on("error", () => undefined)
      .on("close", () => this.#connections.delete(socket))
      .on("data", (chunk: Buffer) => {
        const connection = this.#connections.get(socket);
        if (connection === undefined || this.#abandoned.has(socket)) return;
        connection.text += chunk.toString("latin1");
        this.#work(socket);
      });
  }

  #work(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || this.#frozen) return;
    const { commands, rest } = decode(connection.text);
    connection.text = rest;
    for (const command of commands) {
      this.received.push(command.join(" "));
      const reply =
        this.garbage ?? encode(this.#authenticate(command, connection) ?? this.answer(command, socket));
      if (this.delayMs === 0) socket.write(reply);
      else setTimeout(() => socket.write(reply), this.delayMs);
    }
  }

  #authenticate(command: readonly string[], connection: { authenticated: boolean }): Reply | undefined {
    const [name, secret] = command;
    if (name?.toUpperCase() === "AUTH") {
      if (secret !== this.password) return new Raw("-WRONGPASS invalid username-password pair\r\n");
      connection.authenticated = true;
      return new Raw("+OK\r\n");
    }
    if (this.password !== undefined && !connection.authenticated) {
      return new Raw("-NOAUTH Authentication required.\r\n");
    }
    return undefined;
  }
}
