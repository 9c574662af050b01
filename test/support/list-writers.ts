import type { Redis } from "ioredis";

/** What {@link ListWriters} saw. */
export interface Written {
  /** By list: how many elements were acknowledged. */
  readonly acknowledged: ReadonlyMap<string, number>;
  readonly errors: readonly string[];
  readonly disconnects: number;
  /** The longest time in which one of them got no answer, ms. */
  readonly longestMs: number;
}

/** How a client appends an element: plainly, by a script, in a transaction. */
const ways: readonly ((client: Redis, list: string, n: number) => Promise<unknown>)[] = [
  (client, list, n) => client.rpush(list, n),
  (client, list, n) => client.eval("return redis.call('RPUSH', KEYS[1], ARGV[1])", 1, list, n),
  async (client, list, n) => {
    const [first] = (await client.multi().rpush(list, n).exec()) ?? [];
    if (first === undefined) throw new Error("the transaction was not executed");
    if (first[0] !== null) throw first[0];
  },
];

/** Clients that each append 1, 2, 3 … to a list of its own, one after the other: what is lost or done twice is seen in the list. */
export class ListWriters {
  readonly #clients: readonly Redis[];
  readonly #running: readonly Promise<void>[];
  readonly #acknowledged = new Map<string, number>();
  readonly #errors: string[] = [];
  #disconnects = 0;
  #longestMs = 0;
  #ended = false;

  /** @param connect opens a client that doesn't try anything again. */
  constructor(count: number, connect: () => Redis) {
    this.#clients = Array.from({ length: count }, connect);
    this.#running = this.#clients.map(async (client, i) => {
      client.on("error", () => undefined);
      client.on("close", () => {
        if (!this.#ended) this.#disconnects++;
      });
      const list = `list-${i}`;
      const write = ways[i % ways.length] as (typeof ways)[number];
      let last = performance.now();
      for (let n = 1; !this.#ended; n++) {
        try {
          await write(client, list, n);
          this.#acknowledged.set(list, n);
        } catch (error) {
          this.#errors.push(String(error));
          return;
        }
        this.#longestMs = Math.max(this.#longestMs, performance.now() - last);
        last = performance.now();
      }
    });
  }

  /** How many writes were acknowledged until now. */
  get count(): number {
    return [...this.#acknowledged.values()].reduce((sum, n) => sum + n, 0);
  }

  /** What they were told instead of an answer, until now. Whoever is told anything ends. */
  get errors(): readonly string[] {
    return this.#errors;
  }

  /** Ends them, and says what they saw. */
  async end(): Promise<Written> {
    this.#ended = true;
    await Promise.all(this.#running);
    for (const client of this.#clients) client.disconnect();
    return {
      acknowledged: this.#acknowledged,
      errors: this.#errors,
      disconnects: this.#disconnects,
      longestMs: this.#longestMs,
    };
  }
}

/** What is missing in the lists, or there twice, as sentences. @param client of the Redis that leads. */
export async function compareLists(client: Redis, { acknowledged }: Written): Promise<string[]> {
  const problems: string[] = [];
  for (const [list, count] of acknowledged) {
    const found = await client.lrange(list, 0, -1);
    const wanted = Array.from({ length: found.length }, (_, i) => String(i + 1));
    if (found.length < count) problems.push(`${list} has ${found.length} of ${count} elements`);
    if (found.join() !== wanted.join()) problems.push(`${list} isn't 1, 2, 3 … up to ${found.length}`);
  }
  return problems;
}
