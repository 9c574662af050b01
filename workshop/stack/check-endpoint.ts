import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { execa } from "execa";
import { Redis } from "ioredis";
import { clusterNames, endpointPart } from "../../components/topology/site.ts";
import { UserError } from "../../runtime/user-error.ts";

/** What the check found behind the endpoint. */
export interface EndpointReport {
  /** `master`: what INFO says there. */
  readonly role: string;
  readonly redisVersion: string;
  readonly connectedReplicas: number;
  /** Milliseconds for one SET and one GET. */
  readonly roundTripMs: number;
}

/** Where the endpoint is and how to get there from outside the cluster. */
export interface EndpointTarget {
  readonly namespace: string;
  /** Default: the user of a client that gives only a password. */
  readonly username?: string | undefined;
  readonly password: string;
  /** What its certificate is checked with, as PEM; "" for the authorities that this machine trusts. Unset: no TLS. */
  readonly authority?: string | undefined;
  readonly context: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Uses the endpoint as a client would: SET, GET, INFO, through a port of this machine that kubectl forwards to the Service.
 * So it works for every cluster that kubectl reaches.
 *
 * @throws {UserError} when the endpoint can't be reached or gives back something else than was written.
 */
export async function checkEndpoint(target: EndpointTarget): Promise<EndpointReport> {
  const args = ["--context", target.context, "--namespace", target.namespace, "port-forward"];
  const forward = execa("kubectl", [...args, `service/${clusterNames().service(endpointPart)}`, ":6379"], {
    env: target.environment,
    reject: false,
    stdin: "ignore",
    forceKillAfterDelay: 2000,
  });
  try {
    return await useEndpoint(
      await forwardedPort(
        forward.stdout,
        forward.then(({ stderr }) => stderr),
      ),
      target,
    );
  } finally {
    forward.kill();
    await forward;
  }
}

async function forwardedPort(stdout: Readable, stderrAtEnd: Promise<string>): Promise<number> {
  const lines = createInterface({ input: stdout });
  const ended = stderrAtEnd.then((stderr) => {
    throw new UserError(`kubectl can't reach the endpoint's Service: ${stderr.trim()}`);
  });
  // After the first line nobody listens to the end any more, and it comes for sure.
  ended.catch(() => undefined);
  const [line] = (await Promise.race([
    once(lines, "line", { signal: AbortSignal.timeout(20_000) }),
    ended,
  ])) as [string];
  const port = /127\.0\.0\.1:(\d+)/.exec(line)?.[1];
  if (port === undefined) throw new UserError(`kubectl port-forward said '${line}' instead of a port`);
  return Number(port);
}

async function useEndpoint(
  port: number,
  { username, password, authority }: Pick<EndpointTarget, "username" | "password" | "authority">,
): Promise<EndpointReport> {
  const client = new Redis({
    port,
    ...(username === undefined ? {} : { username }),
    password,
    ...(authority === undefined ? {} : { tls: forwardedTls(authority) }),
    lazyConnect: true,
    connectTimeout: 10_000,
    commandTimeout: 15_000,
    retryStrategy: null,
  });
  let failure: Error | undefined;
  client.on("error", (error: Error) => {
    failure = error;
  });
  const key = `redis-ha:check:${randomUUID()}`;
  try {
    await client.connect();
    const begin = performance.now();
    await client.set(key, key, "EX", 60);
    const value = await client.get(key);
    const roundTripMs = Math.round((performance.now() - begin) * 10) / 10;
    await client.del(key);
    if (value !== key) throw new Error(`GET gave '${value}' after SET of '${key}'`);
    const info = await client.info();
    const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? "";
    return {
      role: field("role"),
      redisVersion: field("redis_version"),
      connectedReplicas: Number(field("connected_slaves")),
      roundTripMs,
    };
  } catch (error) {
    const reason = failure ?? error;
    throw new UserError(`The endpoint doesn't work: ${reason instanceof Error ? reason.message : reason}.`);
  } finally {
    client.disconnect();
  }
}

/** The certificate has the endpoint's names, and need not have that of the port which kubectl forwards. */
function forwardedTls(authority: string): { ca?: string; checkServerIdentity: () => undefined } {
  return { ...(authority === "" ? {} : { ca: authority }), checkServerIdentity: () => undefined };
}
