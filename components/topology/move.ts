import { join } from "node:path";
import type { Settings } from "../../settings/resolve-settings.ts";
import type { Site } from "./site.ts";
import type { SecretFile } from "./workload.ts";

/** What instances and proxies are told about the Redis whose data the stack takes over. No secret is among it. */
export function moveEnvironment(
  { source, user, passwordSecret }: Settings["move"],
  site: Site,
): Record<string, string> {
  if (source === undefined) return {};
  return {
    MOVE_SOURCE: source,
    ...(user === undefined ? {} : { MOVE_USER: user }),
    ...(passwordSecret === undefined
      ? {}
      : { MOVE_PASSWORD_FILE: join(site.secretDirectory, "move", "password") }),
  };
}

/** The secret file with that Redis' password. */
export function moveFiles({ source, passwordSecret }: Settings["move"]): SecretFile[] {
  return source === undefined || passwordSecret === undefined ? [] : ["move/password"];
}
