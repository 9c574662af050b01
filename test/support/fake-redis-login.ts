import type { FakeRedisConnection } from "./fake-redis-connection.ts";
import { Raw, type Reply } from "./fake-server.ts";

/** Makes the connection that of a user; gives the refusal when the password is wrong. */
export function logIn(connection: FakeRedisConnection, user = "", password = ""): Reply | undefined {
  const { users } = connection.redis;
  if (users === undefined) {
    const problem = "AUTH <password> called without any password configured for the default user.";
    return new Raw(`-ERR ${problem} Are you sure your configuration is correct?\r\n`);
  }
  if (users.get(user) !== password) {
    return new Raw("-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  }
  connection.user = user;
  return undefined;
}

/** HELLO, with or without AUTH. */
export function hello(connection: FakeRedisConnection, args: readonly string[]): Reply {
  const version = args[1] ?? String(connection.protocol);
  if (version !== "2" && version !== "3") return new Raw("-NOPROTO unsupported protocol version\r\n");
  const auth = args.findIndex((word) => word.toUpperCase() === "AUTH");
  if (auth > 0) {
    const refusal = logIn(connection, args[auth + 1], args[auth + 2]);
    if (refusal !== undefined) return refusal;
  }
  if (connection.user === "") {
    return new Raw("-NOAUTH HELLO must be called with the client already authenticated.\r\n");
  }
  connection.protocol = version === "3" ? 3 : 2;
  return connection.map({
    server: "redis",
    version: "7.0.15",
    proto: connection.protocol,
    id: connection.id,
    mode: "standalone",
    role: connection.redis.role === "master" ? "master" : "replica",
    modules: [],
  });
}
