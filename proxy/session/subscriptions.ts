import { encodeCommand } from "../resp/command-frame.ts";
import type { Protocol } from "../resp/encode-reply.ts";
import type { Command } from "../upstream/command.ts";

type Kind = "subscribe" | "psubscribe" | "ssubscribe";

/** What a name takes beside its bytes. */
const bytesOfEntry = 128;

/** The bytes of all names that all clients are subscribed to. */
export class SubscriptionBudget {
  total = 0;
  readonly limit: number;

  /** @param limit bytes of all clients together. */
  constructor(limit: number) {
    this.limit = limit;
  }
}

const messageKinds = new Set(["message", "pmessage", "smessage"]);
const confirmationKinds = new Set([
  "subscribe",
  "psubscribe",
  "ssubscribe",
  "unsubscribe",
  "punsubscribe",
  "sunsubscribe",
]);

/** What a command changes. */
export interface SubscriptionChange {
  /** Replies that it gets. */
  readonly confirmations: number;
  /** Redis has refused it. */
  undo(): void;
}

/** What one client is subscribed to: restored on a new master without the client's notice. */
export class Subscriptions {
  readonly #names: Readonly<Record<Kind, Map<string, Buffer>>> = {
    subscribe: new Map(),
    psubscribe: new Map(),
    ssubscribe: new Map(),
  };

  readonly #budget: SubscriptionBudget;
  #bytes = 0;

  constructor(budget: SubscriptionBudget) {
    this.#budget = budget;
  }

  get count(): number {
    return this.#names.subscribe.size + this.#names.psubscribe.size + this.#names.ssubscribe.size;
  }

  /** Whether the names would be too much to keep with those of this command. */
  exceededBy(command: Command): boolean {
    if (command.rule.route !== "subscribe") return false;
    const bytes = command.size + command.argCount * bytesOfEntry;
    return this.#budget.total + bytes > this.#budget.limit;
  }

  /** Nothing is kept any more. */
  end(): void {
    for (const names of Object.values(this.#names)) names.clear();
    this.#account(-this.#bytes);
  }

  /** Takes note of a command. */
  apply(command: Command): SubscriptionChange {
    const [name, ...args] = command.args;
    const kind = kindOf(command.rule.name);
    const names = this.#names[kind];
    if (command.rule.route === "subscribe") {
      const added = new Map<string, Buffer>();
      for (const arg of args) {
        const key = arg.toString("latin1");
        if (names.has(key)) continue;
        this.#account(arg.length + bytesOfEntry);
        names.set(key, arg);
        added.set(key, arg);
      }
      const undo = (): void => {
        for (const [key, arg] of added) this.#remove(names, key, arg);
      };
      // Without arguments it is an error: one reply.
      return { confirmations: Math.max(args.length, 1), undo };
    }
    const left = new Map<string, Buffer>();
    const leave = (key: string): void => {
      const each = names.get(key);
      if (each === undefined) return;
      left.set(key, each);
      this.#remove(names, key, each);
    };
    const undo = (): void => {
      for (const [key, each] of left) {
        names.set(key, each);
        this.#account(each.length + bytesOfEntry);
      }
    };
    if (name === undefined || args.length === 0) {
      const confirmations = Math.max(names.size, 1);
      for (const key of [...names.keys()]) leave(key);
      return { confirmations, undo };
    }
    for (const arg of args) leave(arg.toString("latin1"));
    return { confirmations: args.length, undo };
  }

  #remove(names: Map<string, Buffer>, key: string, name: Buffer): void {
    if (names.delete(key)) this.#account(-name.length - bytesOfEntry);
  }

  #account(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.total += bytes;
  }

  /** The commands that bring all of it back, with the number of their confirmations. */
  restore(): { readonly frame: Buffer; readonly confirmations: number }[] {
    return Object.entries(this.#names)
      .filter(([, names]) => names.size > 0)
      .map(([kind, names]) => ({
        frame: encodeCommand([kind, ...names.values()]),
        confirmations: names.size,
      }));
  }
}

function kindOf(name: string): Kind {
  const kind = name.replace("unsubscribe", "subscribe");
  return kind === "psubscribe" || kind === "ssubscribe" ? kind : "subscribe";
}

/** The same command for those of its arguments that were not confirmed before the connection was lost. */
export function unconfirmed(command: Command, confirmations: number): Command {
  const [name, ...args] = command.args;
  if (name === undefined || args.length <= confirmations) return command;
  return command.withArgs([name, ...args.slice(args.length - confirmations)]);
}

/**
 * Whether a frame is a message that nobody asked for, and no reply. In RESP3 an array is a reply, whatever it begins with, and a
 * push is none unless it confirms a command: there are invalidations among them.
 */
export function isPublished(frame: Buffer, protocol: Protocol): boolean {
  if (frame[0] !== (protocol === 3 ? 62 : 42)) return false;
  // `*3\r\n$7\r\nmessage\r\n…`
  const name = frame.indexOf("\r\n", frame.indexOf("\r\n") + 2) + 2;
  const kind = frame.toString("latin1", name, frame.indexOf("\r\n", name));
  return protocol === 3 ? !confirmationKinds.has(kind) : messageKinds.has(kind);
}
