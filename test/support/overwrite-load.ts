import { connect, type Socket } from "node:net";
import { seededRandom } from "../../workshop/chaos/seeded-random.ts";

export interface OverwriteLoadOptions {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  /** Connections that write. Each has keys of its own, so that a key's writes have an order. */
  readonly clients: number;
  /** Commands that a client sends at once; it then waits for their replies. */
  readonly pipeline: number;
  /** Length of a value. */
  readonly valueBytes: number;
}

/** One connection: it sends commands at once and gets one line for each. */
class Pipe {
  readonly #socket: Socket;
  #rest = "";
  #wanted = 0;
  #lines: string[] = [];
  #done: { resolve: (lines: string[]) => void; reject: (error: Error) => void } | undefined;

  constructor({ host, port }: OverwriteLoadOptions) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.setEncoding("latin1").on("data", (text: string) => this.#take(text));
    for (const event of ["error", "close"]) {
      this.#socket.on(event, () => this.#done?.reject(new Error("the connection was closed")));
    }
  }

  ask(bytes: string, replies: number): Promise<string[]> {
    this.#wanted = replies;
    this.#lines = [];
    return new Promise((resolve, reject) => {
      this.#done = { resolve, reject };
      this.#socket.write(bytes, "latin1");
    });
  }

  close(): void {
    this.#done = undefined;
    this.#socket.destroy();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\r\n");
    this.#rest = lines.pop() ?? "";
    // The line with a value's length is left out; the value has none in it.
    for (const line of lines) if (!/^\$\d/.test(line)) this.#lines.push(line);
    if (this.#lines.length >= this.#wanted) this.#done?.resolve(this.#lines);
  }
}

function command(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

/** Overwrites keys at random, as fast as the server answers, and knows for each of them what was acknowledged last. */
export class OverwriteLoad {
  readonly #options: OverwriteLoadOptions;
  /** By key: the number of its last acknowledged write, and of the last one that was sent. */
  readonly #acknowledged: number[] = [];
  readonly #sent: number[] = [];
  #writes = 0;
  readonly errors = new Map<string, number>();
  /** Longest time in ms that one client waited for one pipeline. */
  longestMs = 0;
  acknowledged = 0;

  constructor(options: OverwriteLoadOptions) {
    this.#options = options;
  }

  get keys(): number {
    return this.#sent.length;
  }

  /** Writes so many new keys. */
  async add(count: number): Promise<void> {
    const first = this.keys;
    for (let key = first; key < first + count; key++) {
      this.#sent.push(0);
      this.#acknowledged.push(0);
    }
    await this.#each((client, pipe) => {
      let next =
        first + ((client - (first % this.#options.clients) + this.#options.clients) % this.#options.clients);
      return async () => {
        const keys: number[] = [];
        for (; next < first + count && keys.length < this.#options.pipeline; next += this.#options.clients)
          keys.push(next);
        if (keys.length > 0) await this.#write(pipe, keys);
        return next < first + count;
      };
    });
  }

  /** Overwrites all keys at random for a time. */
  async overwrite(seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1000;
    const { clients, pipeline } = this.#options;
    await this.#each((client, pipe) => {
      const random = seededRandom(client + 1);
      const own = Math.floor((this.keys - client + clients - 1) / clients);
      return async () => {
        const keys = Array.from({ length: pipeline }, () => client + clients * Math.floor(random() * own));
        // Twice the same key in one pipeline would leave open which write was refused.
        await this.#write(pipe, [...new Set(keys)]);
        return performance.now() < end;
      };
    });
  }

  /** Reads all keys. @returns those that hold less than was acknowledged, with what was found. */
  async lost(): Promise<string[]> {
    const found: string[] = [];
    await this.#each((client, pipe) => {
      let next = client;
      return async () => {
        const keys: number[] = [];
        for (; next < this.keys && keys.length < this.#options.pipeline; next += this.#options.clients)
          keys.push(next);
        const values = await pipe.ask(keys.map((key) => command("GET", nameOf(key))).join(""), keys.length);
        for (const [i, key] of keys.entries()) {
          const number = Number.parseInt(values[i] ?? "", 10);
          const good = number >= (this.#acknowledged[key] ?? 0) && number <= (this.#sent[key] ?? 0);
          if (!good && found.length < 20) {
            found.push(`${nameOf(key)}: ${values[i]?.slice(0, 40)}, acknowledged ${this.#acknowledged[key]}`);
          }
        }
        return next < this.keys;
      };
    });
    return found;
  }

  async #each(start: (client: number, pipe: Pipe) => () => Promise<boolean>): Promise<void> {
    await Promise.all(
      Array.from({ length: this.#options.clients }, async (_, client) => {
        const pipe = new Pipe(this.#options);
        try {
          const [answer] = await pipe.ask(command("AUTH", this.#options.password), 1);
          if (answer !== "+OK") throw new Error(`AUTH: ${answer}`);
          const step = start(client, pipe);
          while (await step());
        } finally {
          pipe.close();
        }
      }),
    );
  }

  async #write(pipe: Pipe, keys: readonly number[]): Promise<void> {
    const numbers = keys.map((key) => {
      const number = ++this.#writes;
      this.#sent[key] = number;
      return number;
    });
    const begin = performance.now();
    const text = keys.map((key, i) =>
      command("SET", nameOf(key), `${numbers[i]} `.padEnd(this.#options.valueBytes, "v")),
    );
    const replies = await pipe.ask(text.join(""), keys.length);
    this.longestMs = Math.max(this.longestMs, performance.now() - begin);
    for (const [i, key] of keys.entries()) {
      const reply = replies[i] ?? "";
      if (reply === "+OK") {
        this.#acknowledged[key] = numbers[i] ?? 0;
        this.acknowledged++;
      } else {
        const word = reply.split(" ")[0] ?? "";
        this.errors.set(word, (this.errors.get(word) ?? 0) + 1);
      }
    }
  }
}

function nameOf(key: number): string {
  return `key:${key}`;
}
