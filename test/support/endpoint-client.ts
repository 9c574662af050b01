import { Redis } from "ioredis";

/** Writes a value over a new connection, as a client that has just started does, and reads it back. */
export async function writeThrough(
  port: number,
  password: string,
  key: string,
  value: string,
  host = "127.0.0.1",
  ca?: string,
): Promise<void> {
  const client = new Redis({
    host,
    port,
    password,
    ...trusting(ca),
    lazyConnect: true,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    commandTimeout: 5000,
    enableReadyCheck: false,
  });
  let problem: Error | undefined;
  client.on("error", (error: Error) => {
    problem = error;
  });
  try {
    await client.connect();
    await client.set(key, value);
    const found = await client.get(key);
    if (found !== value) throw new Error(`GET ${key} gave ${found}, not ${value}`);
  } catch (error) {
    throw problem ?? error;
  } finally {
    client.disconnect();
  }
}

/** All keys of one Redis, asked directly. */
export async function countKeys(
  port: number,
  password: string,
  host = "127.0.0.1",
  ca?: string,
): Promise<number> {
  const client = new Redis({
    host,
    port,
    password,
    ...trusting(ca),
    retryStrategy: null,
    commandTimeout: 5000,
    enableReadyCheck: false,
  });
  client.on("error", () => undefined);
  try {
    return await client.dbsize();
  } finally {
    client.disconnect();
  }
}

/** What a client is told, by command; an error's text for a refused one. */
export async function askThrough(
  port: number,
  login: { readonly username: string; readonly password: string },
  commands: readonly (readonly [name: string, ...args: string[]])[],
  host = "127.0.0.1",
): Promise<Record<string, string>> {
  const client = new Redis({
    host,
    port,
    ...login,
    retryStrategy: null,
    commandTimeout: 5000,
    enableReadyCheck: false,
  });
  client.on("error", () => undefined);
  try {
    const answers: Record<string, string> = {};
    for (const [name, ...args] of commands) {
      const answer = await client.call(name, ...args).catch((error: Error) => error.message);
      answers[[name, ...args].join(" ")] = typeof answer === "string" ? answer : JSON.stringify(answer);
    }
    return answers;
  } finally {
    client.disconnect();
  }
}

/** With an authority, TLS. The certificate of a Service has its name, and the tests use its address. */
function trusting(ca: string | undefined): { tls?: { ca: string; servername: string } } {
  return ca === undefined ? {} : { tls: { ca, servername: "svc-redis-sentinel-proxy" } };
}
