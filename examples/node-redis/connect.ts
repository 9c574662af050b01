// How a program finds its Redis: one address, or Sentinels and a master's name.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { createClient, createSentinel } from "redis";

const { values } = parseArgs({
  options: {
    address: { type: "string", default: process.env.REDIS_ADDRESS ?? "127.0.0.1:6379" },
    sentinel: { type: "string" },
    master: { type: "string", default: "mymaster" },
    prefix: { type: "string", default: "sample:node-redis" },
    "run-through-failover": { type: "boolean", default: false },
  },
});

/** What the command line says: `--sentinel HOST:PORT --master NAME` instead of `--address HOST:PORT` asks a Sentinel. */
export const options = values;

/** node-redis with its default settings has one class for a server and another for Sentinels; their commands are the same. */
export type Client = ReturnType<typeof plainClient> | ReturnType<typeof sentinelClient>;

/** Makes a client that is not connected yet: listeners come first. */
export function createRedis(): Client {
  return options.sentinel === undefined ? plainClient(options.address) : sentinelClient(options.sentinel);
}

function plainClient(address: string) {
  return createClient({ socket: { ...split(address), ...readAuthority() }, ...readPassword() });
}

function sentinelClient(address: string) {
  return createSentinel({
    name: options.master,
    sentinelRootNodes: [split(address)],
    nodeClientOptions: { socket: { ...readAuthority() }, ...readPassword() },
    sentinelClientOptions: { socket: { ...readAuthority() }, ...readPassword() },
    // Else errors of the connections inside it are not told.
    passthroughClientErrorEvents: true,
  });
}

/** From a file, as Kubernetes mounts a Secret: arguments and environments can be read by others. */
function readPassword(): { password: string } | undefined {
  const path = process.env.REDIS_PASSWORD_FILE;
  return path === undefined ? undefined : { password: readFileSync(path, "utf8").trimEnd() };
}

/** The authority that the proxy's certificate is checked with, where the stack uses TLS. */
function readAuthority(): { tls: true; ca: string } | undefined {
  const path = process.env.REDIS_CA_FILE;
  return path === undefined ? undefined : { tls: true, ca: readFileSync(path, "utf8") };
}

function split(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
