import type { ReplyValue } from "../resp/encode-reply.ts";
import { globMatches } from "./glob-match.ts";

/** What one client may listen to: it would otherwise fill the memory by SUBSCRIBE alone. */
const [maxNames, maxNameBytes] = [1000, 64 * 1024];

/** The channels and patterns that one client listens to. Each change gives the confirmations that Redis would send. */
export class Subscriptions {
  readonly #channels = new Map<string, Buffer>();
  readonly #patterns = new Map<string, Buffer>();
  #bytes = 0;

  get channels(): number {
    return this.#channels.size;
  }

  get patterns(): number {
    return this.#patterns.size;
  }

  get count(): number {
    return this.channels + this.patterns;
  }

  /** Whether these names may be added to those that are there. */
  accepts(names: readonly Buffer[]): boolean {
    const bytes = names.reduce((sum, { length }) => sum + length, this.#bytes);
    return bytes <= maxNameBytes && this.count + names.length <= maxNames;
  }

  add(kind: "subscribe" | "psubscribe", names: readonly Buffer[]): ReplyValue[] {
    const own = kind === "subscribe" ? this.#channels : this.#patterns;
    return names.map((name) => {
      const key = name.toString("latin1");
      if (!own.has(key)) {
        // A copy: the argument is a view of the whole chunk that the client sent.
        own.set(key, Buffer.from(name));
        this.#bytes += name.length;
      }
      return this.#confirm(kind, name);
    });
  }

  /** @param names none: all of that kind. */
  remove(kind: "unsubscribe" | "punsubscribe", names: readonly Buffer[]): ReplyValue[] {
    const own = kind === "unsubscribe" ? this.#channels : this.#patterns;
    const leaving = names.length > 0 ? names : [...own.values()];
    if (leaving.length === 0) return [this.#confirm(kind, null)];
    return leaving.map((name) => {
      if (own.delete(name.toString("latin1"))) this.#bytes -= name.length;
      return this.#confirm(kind, name);
    });
  }

  /** What this client gets when `message` is published: once by name, and once by each pattern that fits. */
  messages(channel: string, message: string): ReplyValue[] {
    const byName = this.#channels.has(channel) ? [push("message", channel, message)] : [];
    const byPattern = [...this.#patterns].filter(([pattern]) => globMatches(pattern, channel));
    return [...byName, ...byPattern.map(([, pattern]) => push("pmessage", pattern, channel, message))];
  }

  #confirm(kind: string, name: Buffer | null): ReplyValue {
    return push(kind, name, this.count);
  }
}

function push(...items: ReplyValue[]): ReplyValue {
  return { kind: "push", items };
}
