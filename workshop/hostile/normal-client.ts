import { Redis } from "ioredis";

/** What the normal client saw in one phase. Times in ms. */
export interface NormalPhase {
  readonly requests: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Connections of the normal client; it takes them in turn. */
const connections = 4;
/** One request in so many ms: enough for a p99, little enough for a machine that does other things, too. */
const everyMs = 2;
/** Answers that come later than that never come. */
const answerWithinMs = 10_000;

/** A client that keeps all rules, measures how long its answers take, and checks each of them. */
export class NormalClient {
  /** What it should never have noticed: errors, wrong answers, lost connections; the first ones in words. */
  readonly notices: string[] = [];
  noticed = 0;
  readonly #clients: readonly Redis[];
  readonly #counts = Array.from({ length: connections }, () => 0);
  #latencies: number[] = [];
  #turn = 0;
  #inFlight = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(port: number, password: string | undefined) {
    this.#clients = this.#counts.map((_, i) => {
      const client = new Redis({
        port,
        ...(password === undefined ? {} : { password }),
        protocol: i % 2 === 0 ? 2 : 3,
        maxRetriesPerRequest: 0,
      });
      client.on("error", (error) => this.#notice(`connection ${i}: ${error.message}`));
      client.on("close", () => {
        if (this.#timer !== undefined) this.#notice(`connection ${i} was closed`);
      });
      return client;
    });
  }

  /** Connects and begins to send. @throws {Error} when it gets no answer. */
  static async start(port: number, password?: string): Promise<NormalClient> {
    const normal = new NormalClient(port, password);
    await Promise.all(normal.#clients.map((client, i) => client.set(`normal:${i}`, 0)));
    normal.#timer = setInterval(() => normal.#send(), everyMs);
    return normal;
  }

  /** What was measured since the last call. */
  takePhase(): NormalPhase {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    this.#latencies = [];
    const at = (part: number): number => sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN;
    return { requests: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
  }

  /** Forgets what was measured in the moments between two phases. */
  skip(): void {
    this.#latencies = [];
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    const until = performance.now() + answerWithinMs;
    while (this.#inFlight > 0 && performance.now() < until) await new Promise((done) => setTimeout(done, 5));
    if (this.#inFlight > 0) this.#notice(`${this.#inFlight} requests were never answered`);
    for (const client of this.#clients) client.disconnect();
  }

  #send(): void {
    this.#turn++;
    const which = this.#turn % connections;
    const client = this.#clients[which];
    if (client === undefined) return;
    const key = `normal:${which}`;
    const text = `${this.#turn}`.padEnd(64, ".");
    switch (Math.floor(this.#turn / connections) % 3) {
      case 0: {
        const expected = (this.#counts[which] ?? 0) + 1;
        this.#counts[which] = expected;
        this.#measure(client.incr(key), expected);
        break;
      }
      case 1:
        this.#measure(client.set(`${key}:text`, text), "OK");
        break;
      default:
        this.#measure(client.echo(text), text);
    }
  }

  #measure(reply: Promise<unknown>, expected: unknown): void {
    const begin = performance.now();
    this.#inFlight++;
    reply
      .then(
        (value) => {
          this.#latencies.push(performance.now() - begin);
          if (value !== expected) this.#notice(`got ${String(value)} instead of ${String(expected)}`);
        },
        (error: unknown) => this.#notice(error instanceof Error ? error.message : String(error)),
      )
      .finally(() => {
        this.#inFlight--;
      });
  }

  #notice(text: string): void {
    this.noticed++;
    if (this.notices.length < 20) this.notices.push(text);
  }
}
