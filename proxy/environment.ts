import { hostname } from "node:os";
import { deniedUnlessAllowed, isAllowable } from "../runtime/access/denied-commands.ts";
import { moveContract } from "../runtime/move-source.ts";
import { env, readEnvironment } from "../runtime/read-environment.ts";

/** The environment contract of the proxy. */
const contract = {
  /** Address to listen on. */
  BIND_ADDR: env.text("0.0.0.0"),
  /** Port for Redis clients. */
  PROXY_PORT: env.port(6379),
  /** Port of the Sentinel API. Unset: none. */
  PROXY_SENTINEL_PORT: env.optionalPort(),
  /**
   * `host:port` where clients reach this proxy: the Sentinel API announces it. Unset: BIND_ADDR and PROXY_PORT, with the
   * name of this host when BIND_ADDR stands for all addresses.
   */
  PROXY_ANNOUNCE: env.optionalAddress(),
  /** Port of /livez, /readyz and /metrics. */
  PROXY_ADMIN_PORT: env.port(8080),
  /** Milliseconds that a client waits for a master before it gets an error. */
  PROXY_HOLD_TIMEOUT_MS: env.integer(1, 3_600_000, 11_000),
  /**
   * Milliseconds from SIGTERM for which new clients are still taken, because a Service sends them until every node has heard that
   * this proxy ends. 0: there is no Service.
   */
  PROXY_STOP_DELAY_MS: env.integer(0, 600_000, 0),
  /**
   * Milliseconds from then on until clients with something under way are closed all the same. Together with the delay below
   * Kubernetes' grace period, above what a client needs to go elsewhere.
   */
  PROXY_DRAIN_TIMEOUT_MS: env.integer(1, 3_600_000, 25_000),
  PROXY_MAX_CLIENTS: env.integer(1, 1_000_000, 10_000),
  /** Processes that share the ports and the bounds of clients and connections. */
  PROXY_WORKERS: env.integer(1, 64, 1),
  /** Bytes of memory for all processes: what clients may send, leave unread and keep follows from it. */
  PROXY_MEMORY: env.integer(2 ** 20, Number.MAX_SAFE_INTEGER, 512 * 2 ** 20),
  /** Connections to the master for single clients. */
  PROXY_MAX_DEDICATED: env.integer(1, 1_000_000, 4000),
  /** When a write is acknowledged: `async`, as soon as the master has it; `sync`, as soon as a replica has it, too; `quorum`, as soon as a majority of all instances has it. */
  PROXY_DURABILITY: env.choice(["async", "sync", "quorum"], "async"),
  /** But for `async`: milliseconds that a replica may take. */
  PROXY_DURABILITY_TIMEOUT_MS: env.integer(1, 60_000, 1000),
  /** But for `async`: replicas that there are. All are waited for if they have the write within 50 ms; one is enough with `sync`, half of them with `quorum`. */
  PROXY_DURABILITY_REPLICAS: env.integer(1, 100, 1),
  /** Commands that are passed on although they are denied by default: `config|set,save`. */
  PROXY_ALLOW_COMMANDS: env.list(isAllowable, `names among ${[...deniedUnlessAllowed].join(", ")}`),
  /** All Sentinels. */
  REDIS_SENTINELS: env.addresses(26379),
  /** The name under which the Sentinels know the master. */
  MASTER_NAME: env.text("mymaster"),
  /** The proxy's own user on Redis and the Sentinels. Unset: the one named `default`. */
  REDIS_USERNAME: env.optionalText(),
  /** File with that user's password. Unset: no authentication. It may be changed while the proxy runs. */
  REDIS_PASSWORD_FILE: env.optionalText(),
  /**
   * An aclfile with the users that the Sentinel API lets in. Unset: the user `default` with the proxy's own password. It may be
   * changed while the proxy runs.
   */
  PROXY_CLIENTS_ACL_FILE: env.optionalText(),
  /** Directory with passwords that the platform gives: a file for each of those users, which the aclfile knows without one. */
  PROXY_USER_PASSWORDS_DIR: env.optionalText(),
  /** Directory with tls.crt, tls.key and ca.crt of the listeners. Unset: clients use no TLS. */
  PROXY_TLS_DIR: env.optionalText(),
  /** The same for the connections to Redis and the Sentinels. Unset: without TLS. */
  REDIS_TLS_DIR: env.optionalText(),
  ...moveContract,
  LOG_LEVEL: env.text("info"),
} as const;

/** Reads the proxy's environment; every mistake at once. */
export function readProxyEnvironment(environment: Readonly<Record<string, string | undefined>>) {
  const values = readEnvironment(contract, environment);
  const { PROXY_ANNOUNCE, BIND_ADDR, PROXY_PORT } = values;
  const host = ["0.0.0.0", "::"].includes(BIND_ADDR) ? hostname() : BIND_ADDR;
  return { ...values, PROXY_ANNOUNCE: PROXY_ANNOUNCE ?? { host, port: PROXY_PORT } };
}

/** What {@link readProxyEnvironment} gives. */
export type ProxyEnvironment = ReturnType<typeof readProxyEnvironment>;
