import { engines } from "../../runtime/engine.ts";
import { env, readEnvironment } from "../../runtime/read-environment.ts";

/** The environment contract of the Sentinel. Names and meaning are public: they are those of the image. */
const contract = {
  /** Whose server runs: of redis, or of valkey. The image has to have it. */
  REDIS_ENGINE: env.choice(engines, "redis"),
  /** Address to listen on. */
  BIND_ADDR: env.text("0.0.0.0"),
  /** Name or address, and port, under which the others reach this Sentinel. */
  SENTINEL_SVC_IP: env.text(),
  SENTINEL_SVC_PORT: env.port(26379),
  SENTINEL_RESOLVE_HOSTNAMES: env.yesNo("yes"),
  SENTINEL_ANNOUNCE_HOSTNAMES: env.yesNo("yes"),
  /** Sentinels that must see the master down. */
  SENTINEL_QUORUM: env.integer(1, 99),
  /** Milliseconds. */
  SENTINEL_DOWN_AFTER: env.integer(1, 3_600_000, 1000),
  SENTINEL_FAILOVER: env.integer(1, 3_600_000, 6000),
  SENTINEL_PARALLEL_SYNCS: env.integer(1, 99, 2),
  /** Directory of Sentinel's own sentinel.conf; it must outlive the process. */
  SENTINEL_CONFIG_FILE_DIR: env.text("/sentinel-conf-file"),
  MASTER_NAME: env.text("mymaster"),
  /** The instance that a brand-new set of Sentinels monitors. */
  REDIS_MASTER: env.address(6379),
  REDIS_INSTANCES: env.addresses(6379),
  REDIS_SENTINELS: env.addresses(26379),
  /** The user as which a Sentinel acts on Redis and on the other Sentinels. Unset: the one named `default`. */
  REDIS_USERNAME: env.optionalText(),
  /** File with that user's password. Unset: no authentication. */
  REDIS_PASSWORD_FILE: env.optionalText(),
  /** The aclfile with all users of this Sentinel. Unset: every client is `default`, with the password above. */
  REDIS_ACL_FILE: env.optionalText(),
  /** Directory with tls.crt, tls.key and ca.crt. Unset: without TLS. */
  REDIS_TLS_DIR: env.optionalText(),
  /** Whether clients have to have a certificate, too. */
  REDIS_TLS_AUTH_CLIENTS: env.yesNo("yes"),
} as const;

/** Reads the Sentinel's environment; every mistake at once. */
export function readSentinelEnvironment(environment: Readonly<Record<string, string | undefined>>) {
  return readEnvironment(contract, environment);
}
