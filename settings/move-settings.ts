import { json, text } from "./kinds.ts";
import * as shapes from "./object-shapes.ts";

/** Where a stack takes over the data of a Redis that exists already. */
export function moveSettings() {
  return {
    source: text({
      description:
        "The master of another Redis, `address:port`, whose data this stack takes over: until `redis-ha move cut-over` its instances are replicas of it, and the proxies send their clients there. See docs/move.md.",
      derived: "none",
      pattern: /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/,
      allowed: "address:port",
      example: "10.96.31.7:6379",
    }),
    user: text({
      description:
        "User of that Redis as whom instances and proxies log in. It needs the permissions of docs/move.md.",
      derived: "the one named default",
      pattern: /^\S{1,128}$/,
      allowed: "the name of a user",
      example: "migration",
    }),
    passwordSecret: json({
      description: "A key of a Secret of the namespace with the password of that user.",
      derived: "none: that Redis asks for no password",
      shape: shapes.secretKey,
      argument: "{ readonly name: string; readonly key?: string | undefined }",
      allowed: "a JSON object {name, key?}",
      example: '{"name":"old-redis","key":"redis-password"}',
    }),
  };
}
