// How a program finds its Redis: one address, or Sentinels and a master's name.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";

const { values } = parseArgs({
  options: {
    address: { type: "string", default: process.env.REDIS_ADDRESS ?? "127.0.0.1:6379" },
    sentinel: { type: "string" },
    master: { type: "string", default: "mymaster" },
    prefix: { type: "string", default: "sample:ioredis" },
    "run-through-failover": { type: "boolean", default: false },
  },
});

/** What the command line says: `--sentinel HOST:PORT --master NAME` instead of `--address HOST:PORT` asks a Sentinel. */
export const options = values;

/** A connection with the default settings of ioredis; commands wait in it until it is ready. */
export function connect(): Redis {
  const password = readPassword();
  const tls = readAuthority();
  if (options.sentinel === undefined) return new Redis({ ...split(options.address), ...password, ...tls });
  return new Redis({
    sentinels: [split(options.sentinel)],
    name: options.master,
    ...password,
    ...(tls && { ...tls, sentinelTLS: tls.tls, enableTLSForSentinelMode: true }),
    // Without it only the connection to the master would use the password.
    ...(password && { sentinelPassword: password.password }),
  });
}

/** From a file, as Kubernetes mounts a Secret: arguments and environments can be read by others. */
function readPassword(): { password: string } | undefined {
  const path = process.env.REDIS_PASSWORD_FILE;
  return path === undefined ? undefined : { password: readFileSync(path, "utf8").trimEnd() };
}

/** The authority that the proxy's certificate is checked with, where the stack uses TLS. */
function readAuthority(): { tls: { ca: string } } | undefined {
  const path = process.env.REDIS_CA_FILE;
  return path === undefined ? undefined : { tls: { ca: readFileSync(path, "utf8") } };
}

function split(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
