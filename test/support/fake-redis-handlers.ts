import type { FakeRedisConnection } from "./fake-redis-connection.ts";
import { hello, logIn } from "./fake-redis-login.ts";
import { Raw, type Reply } from "./fake-server.ts";

type Handler = (connection: FakeRedisConnection, args: readonly string[]) => Reply | Promise<Reply>;

const ok = new Raw("+OK\r\n");

/** Commands that concern the connection or the server. Those for data are in {@link FakeRedisData}. */
export const handlers: Readonly<Record<string, Handler>> = {
  PING: (connection, [, text]) => {
    if (connection.subscriptions.size > 0 && connection.protocol === 2) return ["pong", text ?? ""];
    return text ?? new Raw("+PONG\r\n");
  },
  AUTH: (connection, args) => {
    const [user, password] = args.length > 2 ? [args[1], args[2]] : ["default", args[1]];
    return logIn(connection, user, password) ?? ok;
  },
  HELLO: hello,
  SELECT: (connection, [, db]) => {
    if (Number(db) >= 16) return new Raw("-ERR DB index is out of range\r\n");
    connection.db = Number(db);
    return ok;
  },
  ROLE: ({ redis }) =>
    redis.role === "master" ? ["master", 100, []] : ["slave", "127.0.0.1", 1, "connected", 100],
  INFO: ({ redis: { role, history, goodReplicas } }) =>
    [
      ...["# Server", "redis_version:7.0.15", "# Persistence", "loading:0", "# Replication", `role:${role}`],
      ...[
        `min_slaves_good_slaves:${goodReplicas}`,
        `master_replid:${history.current}`,
        `master_replid2:${history.former}`,
        "",
      ],
    ].join("\r\n"),
  COMMAND: command,
  CLIENT: client,
  CONFIG: (connection) => connection.map({}),
  RESET: (connection) => {
    connection.queued = undefined;
    connection.watched.clear();
    connection.subscriptions.clear();
    connection.tracking = false;
    connection.db = 0;
    connection.protocol = 2;
    return new Raw("+RESET\r\n");
  },
  QUIT: (connection) => {
    setImmediate(() => connection.close());
    return ok;
  },
  MULTI: (connection) => {
    if (connection.queued !== undefined) return new Raw("-ERR MULTI calls can not be nested\r\n");
    connection.queued = [];
    connection.queueBroken = false;
    return ok;
  },
  DISCARD: (connection) => {
    if (connection.queued === undefined) return new Raw("-ERR DISCARD without MULTI\r\n");
    connection.queued = undefined;
    connection.watched.clear();
    return ok;
  },
  EXEC: exec,
  WATCH: (connection, args) => {
    if (connection.queued !== undefined) return new Raw("-ERR WATCH inside MULTI is not allowed\r\n");
    for (const key of args.slice(1)) {
      const place = `${connection.db} ${key}`;
      connection.watched.set(place, connection.redis.data.version(connection.db, key));
    }
    return ok;
  },
  UNWATCH: (connection) => {
    connection.watched.clear();
    return ok;
  },
  SUBSCRIBE: subscribe,
  PSUBSCRIBE: subscribe,
  SSUBSCRIBE: subscribe,
  UNSUBSCRIBE: unsubscribe,
  PUNSUBSCRIBE: unsubscribe,
  SUNSUBSCRIBE: unsubscribe,
  PUBLISH: (connection, [, channel = "", message = ""]) => {
    // It goes to the replicas, too.
    connection.wrote = true;
    return connection.redis.publish(channel, message);
  },
  BLPOP: (connection, args) => block(connection, args, "left"),
  BRPOP: (connection, args) => block(connection, args, "right"),
  XREAD: (connection, args) => {
    const at = args.findIndex((word) => word.toUpperCase() === "BLOCK");
    return at < 0 ? connection.nilArray : connection.block([], "left", Number(args[at + 1]));
  },
  WAIT: ({ wrote }, [, replicas]) => (wrote ? Number(replicas) : 0),
  MONITOR: () => ok,
};

function command({ redis, protocol }: FakeRedisConnection, args: readonly string[]): Reply {
  if (redis.table === undefined) return new Raw("-ERR unknown command 'COMMAND'\r\n");
  const { entries } = redis.table;
  const [, subcommand = "", ...names] = args.map((word) => word.toLowerCase());
  if (subcommand === "count") return entries.size;
  if (subcommand === "list") return [...entries.keys()];
  const wanted = subcommand === "info" && names.length > 0 ? names : [...entries.keys()];
  const nil = protocol === 3 ? "_\r\n" : "*-1\r\n";
  return wanted.map((name) => new Raw(entries.get(name)?.[protocol === 3 ? "resp3" : "resp2"] ?? nil));
}

function client(connection: FakeRedisConnection, args: readonly string[]): Reply {
  const [, subcommand, argument] = args.map((word) => word.toUpperCase());
  switch (subcommand) {
    case "ID":
      return connection.id;
    case "TRACKING":
      connection.tracking = argument === "ON";
      return ok;
    case "REPLY":
      connection.replyMode = argument === "OFF" ? "off" : argument === "SKIP" ? "skip" : "on";
      return ok;
    case "LIST":
    case "INFO":
      return `id=${connection.id} db=${connection.db}`;
    default:
      return ok;
  }
}

function exec(connection: FakeRedisConnection): Reply {
  const { queued, watched, queueBroken, redis } = connection;
  if (queued === undefined) return new Raw("-ERR EXEC without MULTI\r\n");
  const dirty = [...watched].some(([place, version]) => {
    const [db = "", ...key] = place.split(" ");
    return redis.data.version(Number(db), key.join(" ")) !== version;
  });
  connection.queued = undefined;
  watched.clear();
  if (queueBroken) {
    return new Raw("-EXECABORT Transaction discarded because of previous errors.\r\n");
  }
  if (redis.role === "slave" && queued.some(({ args: [name = ""] }) => redis.table?.hasFlag(name, "write"))) {
    const reason = "READONLY You can't write against a read only replica.";
    return new Raw(`-EXECABORT Transaction discarded because of: ${reason}\r\n`);
  }
  if (dirty) return connection.nilArray;
  return queued.map((entry) => {
    const reply = connection.perform(entry.args);
    if (reply instanceof Promise) throw new Error(`${entry.text} in a MULTI: not in this fake`);
    entry.executed = true;
    return reply;
  });
}

function subscribe(connection: FakeRedisConnection, args: readonly string[]): Reply {
  const [name = "", ...channels] = args;
  const acks = channels.map((channel) => {
    connection.subscriptions.add(`${name.toUpperCase()} ${channel}`);
    return connection.push(name.toLowerCase(), channel, connection.subscriptions.size);
  });
  return new Raw(acks.join(""));
}

function unsubscribe(connection: FakeRedisConnection, args: readonly string[]): Reply {
  const [name = "", ...named] = args;
  const opposite = name.toUpperCase().replace("UNSUBSCRIBE", "SUBSCRIBE");
  const all = [...connection.subscriptions]
    .filter((one) => one.startsWith(`${opposite} `))
    .map((one) => one.slice(opposite.length + 1));
  const channels = named.length > 0 ? named : all;
  if (channels.length === 0) {
    return new Raw(connection.push(name.toLowerCase(), connection.nil, connection.subscriptions.size));
  }
  const acks = channels.map((channel) => {
    connection.subscriptions.delete(`${opposite} ${channel}`);
    return connection.push(name.toLowerCase(), channel, connection.subscriptions.size);
  });
  return new Raw(acks.join(""));
}

async function block(
  connection: FakeRedisConnection,
  args: readonly string[],
  from: "left" | "right",
): Promise<Reply> {
  const keys = args.slice(1, -1);
  return connection.block(keys, from, Number(args.at(-1)) * 1000);
}
