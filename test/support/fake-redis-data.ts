import { Raw, type Reply } from "./fake-server.ts";

/** The keys of one fake Redis, and the few commands that tests need to see whether something was executed. */
export class FakeRedisData {
  readonly #databases = new Map<number, Map<string, string | string[]>>();
  /** Changes of each key, for WATCH. */
  readonly #versions = new Map<string, number>();
  /** Called when an element came to a list. */
  onPush: (db: number, key: string) => void = () => undefined;

  #keys(db: number): Map<string, string | string[]> {
    const keys = this.#databases.get(db) ?? new Map<string, string | string[]>();
    this.#databases.set(db, keys);
    return keys;
  }

  version(db: number, key: string): number {
    return this.#versions.get(`${db} ${key}`) ?? 0;
  }

  text(key: string, db = 0): string | undefined {
    const value = this.#keys(db).get(key);
    return typeof value === "string" ? value : undefined;
  }

  list(key: string, db = 0): readonly string[] {
    const value = this.#keys(db).get(key);
    return Array.isArray(value) ? value : [];
  }

  set(key: string, value: string | string[], db = 0): void {
    this.#keys(db).set(key, value);
    this.#touch(db, key);
  }

  /** Takes an element from the first of the lists that has one. */
  pop(db: number, keys: readonly string[], from: "left" | "right"): [string, string] | undefined {
    for (const key of keys) {
      const list = [...this.list(key, db)];
      const value = from === "left" ? list.shift() : list.pop();
      if (value === undefined) continue;
      this.set(key, list, db);
      return [key, value];
    }
    return undefined;
  }

  /** Executes a data command; undefined for one that isn't known. */
  execute(db: number, args: readonly string[], nil: Raw): Reply | undefined {
    const [name = "", key = "", ...rest] = args;
    const value = this.text(key, db);
    switch (name.toUpperCase()) {
      case "GET":
        return value ?? nil;
      case "MGET":
        return args.slice(1).map((one) => this.text(one, db) ?? nil);
      case "STRLEN":
        return (value ?? "").length;
      case "EXISTS":
        return this.#keys(db).has(key) ? 1 : 0;
      case "SET":
        this.set(key, rest[0] ?? "", db);
        return new Raw("+OK\r\n");
      case "INCR": {
        const next = Number(value ?? "0") + 1;
        this.set(key, String(next), db);
        return next;
      }
      case "APPEND":
        this.set(key, (value ?? "") + (rest[0] ?? ""), db);
        return (value ?? "").length + (rest[0] ?? "").length;
      case "DEL":
        this.#touch(db, key);
        return this.#keys(db).delete(key) ? 1 : 0;
      case "RPUSH": {
        const list = [...this.list(key, db), ...rest];
        this.set(key, list, db);
        this.onPush(db, key);
        return list.length;
      }
      case "LRANGE":
        return [...this.list(key, db)];
      case "LPOP":
        return this.pop(db, [key], "left")?.[1] ?? nil;
      case "DBSIZE":
        return this.#keys(db).size;
      case "FLUSHALL":
        this.#databases.clear();
        return new Raw("+OK\r\n");
      case "ECHO":
        return key;
      case "TIME":
        return ["1", "2"];
      case "EVAL":
        return this.execute(db, ["INCR", rest[1] ?? "eval"], nil);
      default:
        return undefined;
    }
  }

  #touch(db: number, key: string): void {
    this.#versions.set(`${db} ${key}`, this.version(db, key) + 1);
  }
}
