import { createHash } from "node:crypto";
import type { MasterLink } from "./master-link.ts";
import type { Credentials } from "./upstream-options.ts";

/** What came of `AUTH`: accepted, the server's error, or nobody to ask. */
export type AuthResult = true | { readonly error: string } | "again";

/** An accepted password is asked about again after this time: a revoked one must not live on. */
const trustMs = 1000;
/** Questions at a time: guessing passwords must not fill the server with connections. */
const maxQuestions = 8;

interface Question {
  readonly result: Promise<AuthResult>;
  /** When it was accepted; unset while the answer is awaited. */
  settledAt?: number;
}

/** Asks the master whether it accepts a client's credentials. Many clients with the same ones cost one question a second. */
export class Authenticator {
  readonly #link: MasterLink;
  readonly #known = new Map<string, Question>();
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(link: MasterLink) {
    this.#link = link;
  }

  check(credentials: Credentials): Promise<AuthResult> {
    const key = createHash("sha256")
      .update(JSON.stringify([credentials.user, credentials.password]))
      .digest("base64");
    const known = this.#known.get(key);
    const settledAt = known?.settledAt;
    if (known !== undefined && (settledAt === undefined || performance.now() - settledAt < trustMs)) {
      return known.result;
    }
    const entry: Question = { result: this.#ask(credentials) };
    this.#known.set(key, entry);
    const settle = (result: AuthResult | undefined): void => {
      if (result === true) entry.settledAt = performance.now();
      else this.#known.delete(key);
    };
    entry.result.then(settle, () => settle(undefined));
    return entry.result;
  }

  async #ask(credentials: Credentials): Promise<AuthResult> {
    if (this.#running >= maxQuestions) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#queue.push(resolve);
      await promise;
    }
    this.#running++;
    try {
      return await this.#link.authenticate(credentials);
    } finally {
      this.#running--;
      this.#queue.shift()?.();
    }
  }
}
