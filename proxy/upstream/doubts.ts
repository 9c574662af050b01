import { type Address, formatAddress } from "../../runtime/address.ts";
import type { Rejection } from "./rejection.ts";
import { inServersWords, isProvenBy } from "./server-words.ts";

/**
 * A state that was proven so long ago, ms, counts when it has ended before the next question: a master that gets its replicas back ends it
 * between a refusal and the question about it. Refused commands come again every 50 ms.
 */
const provenForMs = 250;

const monotonicMs = (): number => performance.now();

/**
 * Refusals in Redis' own words that may be a program's, which may have changed something before. Whether the Redis is in that
 * state, it is asked itself, on a connection of the proxy's own: one question at a time, and who doubts meanwhile shares the next.
 */
export class Doubts {
  readonly #ask: (address: Address) => Promise<string>;
  readonly #now: () => number;
  /** Questions under way, by address. */
  readonly #asked = new Map<string, Promise<unknown>>();
  /** Questions that haven't begun: they are about everything that was heard before. */
  readonly #next = new Map<string, Promise<string>>();
  readonly #provenAt = new Map<string, number>();

  /**
   * @param ask gives the `INFO` of a Redis, or rejects when there is no answer in time.
   * @param now ms of the monotonic clock.
   */
  constructor(ask: (address: Address) => Promise<string>, now = monotonicMs) {
    this.#ask = ask;
    this.#now = now;
  }

  /** Finds out whether a reply is a refusal; without an answer it is none. */
  settle(address: Address, reply: Buffer, done: (refused: boolean) => void): void {
    const kind = inServersWords(reply);
    if (kind === undefined) {
      done(false);
      return;
    }
    const heardAt = this.#now();
    const state = `${kind} ${formatAddress(address)}`;
    this.#question(address).then(
      (info) => done(this.#isProven(kind, info, state, heardAt)),
      () => done(false),
    );
  }

  #isProven(kind: Rejection, info: string, state: string, heardAt: number): boolean {
    if (isProvenBy(kind, info)) {
      this.#provenAt.set(state, this.#now());
      return true;
    }
    const before = this.#provenAt.get(state);
    return before !== undefined && before <= heardAt && heardAt - before <= provenForMs;
  }

  /** The answer to a question that is asked after this call. */
  #question(address: Address): Promise<string> {
    const name = formatAddress(address);
    const begun = this.#next.get(name);
    if (begun !== undefined) return begun;
    const question = (this.#asked.get(name) ?? Promise.resolve()).then(() => {
      this.#next.delete(name);
      const answer = this.#ask(address);
      const over = answer.then(ignore, ignore).then(() => {
        if (this.#asked.get(name) === over) this.#asked.delete(name);
      });
      this.#asked.set(name, over);
      return answer;
    });
    this.#next.set(name, question);
    return question;
  }
}

const ignore = (): void => undefined;
