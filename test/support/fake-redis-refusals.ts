import type { FakeRedisConnection } from "./fake-redis-connection.ts";

/** Why Redis doesn't even begin with a command (its name in upper case) on this connection; undefined: it does. */
export function refusalOf(connection: FakeRedisConnection, name: string): string | undefined {
  const { user, protocol, subscriptions, redis } = connection;
  if (user === "" && !/^(AUTH|HELLO|QUIT|RESET)$/.test(name)) return "NOAUTH Authentication required.";
  const subscribing = protocol === 2 && subscriptions.size > 0;
  if (subscribing && !/^(([PS]?(UN)?SUBSCRIBE)|PING|QUIT|RESET)$/.test(name)) {
    return `ERR Can't execute '${name.toLowerCase()}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`;
  }
  if (redis.role === "slave" && redis.table?.hasFlag(name, "write") === true) {
    return "READONLY You can't write against a read only replica.";
  }
  return undefined;
}
