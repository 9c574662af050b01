import type { FinalData } from "../../workshop/chaos/history.ts";
import { FakeServer, Raw, type Reply } from "./fake-server.ts";

/** What a {@link FlawedRedis} does wrong, with every 20th command that it can be done to. */
export type Flaw =
  | "none"
  /** Acknowledges a write and forgets it. */
  | "loses"
  /** Executes a write twice. */
  | "repeats"
  /** Executes a push only after the next one, and answers at once. */
  | "reorders"
  /** Answers a read with what was there before the last write. */
  | "readsOld"
  /** Refuses a write and executes it all the same. */
  | "liesAboutRefusal"
  /** Writes what nobody asked for. */
  | "invents";

const ok = new Raw("+OK\r\n");
const nil = new Raw("$-1\r\n");
const every = 20;

/** A server that executes the ledger's commands, with one flaw. */
export class FlawedRedis extends FakeServer {
  readonly #flaw: Flaw;
  readonly #strings = new Map<string, string>();
  /** What each key held before its last write. */
  readonly #old = new Map<string, string>();
  readonly #lists = new Map<string, string[]>();
  readonly #sets = new Map<string, Set<string>>();
  #count = 0;
  #postponed: (() => void) | undefined;

  constructor(flaw: Flaw) {
    super();
    this.#flaw = flaw;
  }

  /** What a checker reads when the round is over. */
  finalData(round: string, client: string): FinalData {
    this.#postponed?.();
    this.#postponed = undefined;
    const prefix = `ledger:${round}:${client}:`;
    const strings = [...this.#strings].flatMap(([key, value]): [string, string][] =>
      key.startsWith(`${prefix}string:`) ? [[key.slice(`${prefix}string:`.length), value]] : [],
    );
    const own = {
      counter: Number(this.#strings.get(`${prefix}counter`) ?? 0),
      list: this.#lists.get(`${prefix}list`) ?? [],
      set: this.#sets.get(`${prefix}set`) ?? new Set<string>(),
      strings: new Map(strings),
    };
    return new Map([[client, own]]);
  }

  protected override answer([name = "", key = "", value = ""]: readonly string[]): Reply {
    switch (name.toUpperCase()) {
      case "INFO":
        return "redis_version:7.0.15\r\nloading:0\r\n";
      case "GET": {
        const old = this.#isTurn("readsOld") ? this.#old.get(key) : undefined;
        return old ?? this.#strings.get(key) ?? nil;
      }
      case "LRANGE":
        return this.#lists.get(key) ?? [];
      case "SET":
        return this.#write(ok, () => {
          this.#old.set(key, this.#strings.get(key) ?? "");
          this.#strings.set(key, value);
        });
      case "INCR": {
        const next = Number(this.#strings.get(key) ?? 0) + 1;
        return this.#write(next, () =>
          this.#strings.set(key, String(Number(this.#strings.get(key) ?? 0) + 1)),
        );
      }
      case "SADD": {
        const set = this.#sets.get(key) ?? new Set<string>();
        this.#sets.set(key, set);
        const reply = set.has(value) ? 0 : 1;
        return this.#write(reply, () => set.add(value));
      }
      case "RPUSH":
        return this.#push(key, value);
      default:
        return ok;
    }
  }

  #push(key: string, value: string): Reply {
    const list = this.#lists.get(key) ?? [];
    this.#lists.set(key, list);
    if (this.#postponed === undefined && this.#isTurn("reorders")) {
      this.#postponed = () => list.push(value);
      return list.length + 1;
    }
    if (this.#isTurn("invents")) list.push("999999");
    const reply = this.#write(list.length + 1, () => list.push(value));
    this.#postponed?.();
    this.#postponed = undefined;
    return reply;
  }

  #write(reply: Reply, execute: () => unknown): Reply {
    if (this.#isTurn("loses")) return reply;
    execute();
    if (this.#isTurn("repeats")) execute();
    return this.#isTurn("liesAboutRefusal") ? new Raw("-LOADING it was not executed\r\n") : reply;
  }

  #isTurn(flaw: Flaw): boolean {
    return this.#flaw === flaw && ++this.#count % every === 0;
  }
}
