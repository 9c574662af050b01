import { findProgram } from "./find-program.ts";

/** The servers that can stand behind the endpoint: `images:engine`. */
export const engines = ["redis", "valkey"] as const;

export type Engine = (typeof engines)[number];

/**
 * The absolute path of one of an engine's programs: `redis-server`, `valkey-check-aof`, …
 *
 * Only by its own name: Valkey's packages may bring links with Redis' names, and a Redis that is taken for Valkey can't read its data.
 *
 * @throws {Error} that names the program, where it was looked for, and what to do.
 */
export function findEngineProgram(
  engine: Engine,
  tool: "server" | "check-aof",
  path: string | undefined,
): string {
  const [name, installed] = engine === "redis" ? ["Redis", "redis-server"] : ["Valkey", "valkey-server"];
  return findProgram(
    `${engine}-${tool}`,
    path,
    `install ${name} (apt-get install ${installed}), or, where this is the image of the other engine, set images:engine to what it is`,
  );
}

/** Who a server is, by its `INFO server`. */
export interface ServerVersion {
  /** As the server itself writes it. */
  readonly engine: "Redis" | "Valkey";
  /** Its own release. A Valkey's `redis_version` is the one of the Redis that it is compatible with. */
  readonly version: string;
}

/** Reads who a server is. @param info the fields of its `INFO server`. Undefined: it didn't say. */
export function versionOf(info: Readonly<Record<string, string | undefined>>): ServerVersion | undefined {
  if (info.valkey_version !== undefined) return { engine: "Valkey", version: info.valkey_version };
  return info.redis_version === undefined ? undefined : { engine: "Redis", version: info.redis_version };
}

/** For a person: the release of a Redis, `Valkey 9.1.2` of a Valkey; empty when it didn't say. */
export function describeVersion(info: Readonly<Record<string, string | undefined>>): string {
  const found = versionOf(info);
  if (found === undefined) return "";
  return found.engine === "Redis" ? found.version : `${found.engine} ${found.version}`;
}
