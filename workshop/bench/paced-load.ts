import { connect, type Socket } from "node:net";
import { encodeCommand } from "../../proxy/resp/command-frame.ts";

/** What a paced load is told. */
export interface PacedLoadOptions {
  readonly port: number;
  readonly connections: number;
  /** Requests of all connections in a second, whatever becomes of the answers. */
  readonly perSecond: number;
  readonly seconds: number;
  readonly payloadBytes: number;
}

/** Answers later than this after the last request aren't waited for, ms. */
const lastAnswerMs = 5000;

/** Milliseconds from when a request was sent until its answer was there. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Sends GETs at a fixed rate, whether or not the answers come (open loop): who waits for an answer before the next request doesn't see the
 * queue that others would stand in.
 *
 * @throws {Error} when an answer doesn't come, or is none.
 */
export async function runPacedLoad(options: PacedLoadOptions): Promise<Latency> {
  const { port, connections, perSecond, seconds, payloadBytes } = options;
  const latencies: number[] = [];
  const lanes = await Promise.all(
    Array.from({ length: connections }, () => Lane.open(port, payloadBytes, (ms) => latencies.push(ms))),
  );
  try {
    const total = Math.round(perSecond * seconds);
    const begin = performance.now();
    for (let sent = 0; sent < total; ) {
      // A timer's turn is a millisecond or more: all that have become due meanwhile are sent.
      await new Promise((resolve) => setTimeout(resolve, 1));
      const due = Math.min(total, Math.floor(((performance.now() - begin) / 1000) * perSecond));
      for (; sent < due; sent++) lanes[sent % connections]?.send();
      for (const lane of lanes) lane.flush();
    }
    const deadline = performance.now() + lastAnswerMs;
    while (latencies.length < total) {
      if (performance.now() > deadline)
        throw new Error(`${total - latencies.length} of ${total} requests got no answer`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const sorted = latencies.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.ceil(total * share) - 1] ?? Number.NaN;
    return { p50Ms: at(0.5), p99Ms: at(0.99) };
  } finally {
    for (const lane of lanes) lane.close();
  }
}

/** One connection: replies of a known size, in the order of the requests. */
class Lane {
  readonly #socket: Socket;
  readonly #onAnswer: (ms: number) => void;
  readonly #replyBytes: number;
  readonly #sentAt: number[] = [];
  #unsent = 0;
  #received = 0;

  private constructor(socket: Socket, replyBytes: number, onAnswer: (ms: number) => void) {
    this.#socket = socket;
    this.#replyBytes = replyBytes;
    this.#onAnswer = onAnswer;
    socket.on("data", (piece: Buffer) => this.#receive(piece.length));
  }

  static async open(port: number, payloadBytes: number, onAnswer: (ms: number) => void): Promise<Lane> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once("connect", resolve).once("error", reject);
    await promise;
    const answered = new Promise((done) => socket.once("data", done));
    socket.write(encodeCommand(["SET", "paced", "x".repeat(payloadBytes)]));
    await answered;
    return new Lane(socket, `$${payloadBytes}\r\n`.length + payloadBytes + 2, onAnswer);
  }

  send(): void {
    this.#sentAt.push(performance.now());
    this.#unsent++;
  }

  flush(): void {
    if (this.#unsent > 0) this.#socket.write(get.repeat(this.#unsent));
    this.#unsent = 0;
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(bytes: number): void {
    this.#received += bytes;
    const now = performance.now();
    for (; this.#received >= this.#replyBytes; this.#received -= this.#replyBytes) {
      this.#onAnswer(now - (this.#sentAt.shift() ?? Number.NaN));
    }
  }
}

const get = encodeCommand(["GET", "paced"]).toString("latin1");
