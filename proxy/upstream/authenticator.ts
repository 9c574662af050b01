import { decodeReply, isErrorReply } from "../resp/decode-reply.ts";
import type { MasterLink } from "./master-link.ts";
import { OpenRetries } from "./open-retries.ts";
import { rejectionOf } from "./rejection.ts";
import type { Upstream } from "./upstream.ts";
import type { Credentials } from "./upstream-options.ts";

/** What came of `AUTH`: accepted, the server's error, or nobody to ask and why. */
export type AuthResult = true | { readonly error: string } | { readonly again: string };

/** Connections for questions at a time: guessing passwords must not fill the server with them. */
const maxQuestions = 8;
/** The server answers within this time, ms, or the connection is given up. */
const answerWithinMs = 1000;
/** A connection that nobody has asked anything on is kept so long, ms. */
const keepMs = 10_000;

/**
 * Asks the master whether it accepts a client's credentials: each time, since a password may be revoked at any moment. The first client that
 * is accepted leaves its connection for the questions of others, so that many clients cost one command each, and no connection.
 */
export class Authenticator {
  /** Tries to open connections for questions that the server doesn't take. */
  readonly retries = new OpenRetries();
  readonly #link: MasterLink;
  readonly #queue: (() => void)[] = [];
  #running = 0;
  #asked: Upstream | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(link: MasterLink) {
    this.#link = link;
  }

  async check(credentials: Credentials): Promise<AuthResult> {
    if (this.#asked?.ready !== true && this.#running >= maxQuestions) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#queue.push(resolve);
      await promise;
    }
    if (this.#asked?.ready === true) {
      // Nobody waits any longer for a connection of its own.
      for (const go of this.#queue.splice(0)) go();
      return this.#ask(this.#asked, credentials);
    }
    const { retries } = this;
    if (!retries.begin()) return { again: retries.problem ?? "" };
    this.#running++;
    try {
      const result = await askOnNewConnection(this.#link, credentials, (upstream) => this.#keep(upstream));
      if (result === true || "error" in result) retries.succeeded();
      else if (this.#link.state === "following") retries.failed(result.again);
      else retries.undecided();
      return result;
    } finally {
      this.#running--;
      this.#queue.shift()?.();
    }
  }

  #keep(upstream: Upstream): void {
    if (this.#asked?.ready === true) upstream.destroy();
    else {
      this.#asked = upstream;
      this.#endWhenIdle(upstream);
    }
  }

  #endWhenIdle(upstream: Upstream): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => upstream.destroy(), keepMs).unref();
  }

  #ask(upstream: Upstream, { user, password }: Credentials): Promise<AuthResult> {
    this.#endWhenIdle(upstream);
    const { promise, resolve } = Promise.withResolvers<AuthResult>();
    const late = setTimeout(() => upstream.destroy("it doesn't answer AUTH"), answerWithinMs).unref();
    upstream.ask(user === undefined ? ["AUTH", password] : ["AUTH", user, password], {
      reply: (bytes) => {
        clearTimeout(late);
        const reply = decodeReply(bytes);
        if (!isErrorReply(reply)) resolve(true);
        else resolve(rejectionOf(bytes) === undefined ? { error: reply.error } : { again: reply.error });
      },
      lost: () => {
        clearTimeout(late);
        resolve({ again: "the connection was lost" });
      },
    });
    return promise;
  }
}

/**
 * Whether the server accepts a client's credentials, asked on a connection of their own.
 *
 * @param keep gets the connection, when they were accepted.
 */
async function askOnNewConnection(
  link: MasterLink,
  credentials: Credentials,
  keep: (upstream: Upstream) => void,
): Promise<AuthResult> {
  const outcome = Promise.withResolvers<AuthResult>();
  const upstream = link.open(
    { credentials, db: 0, protocol: 2 },
    ({ kind, message }) =>
      outcome.resolve(kind === "denied" ? { error: message } : kind === "busy" ? true : { again: message }),
    false,
  );
  if (upstream === undefined) return { again: "there is no master" };
  upstream.onceOpened((ready) => {
    if (ready) outcome.resolve(true);
  });
  const result = await outcome.promise;
  if (result === true && upstream.ready) keep(upstream);
  else upstream.destroy();
  return result;
}
