import { engines } from "../../runtime/engine.ts";
import { isModule, modulesAllowed } from "../../runtime/module-list.ts";
import { moveContract } from "../../runtime/move-source.ts";
import { env, readEnvironment } from "../../runtime/read-environment.ts";

/** The environment contract of a Redis instance. */
const contract = {
  /** Whose server runs: of redis, or of valkey. The image has to have it. */
  REDIS_ENGINE: env.choice(engines, "redis"),
  /** Address to listen on. */
  BIND_ADDR: env.text("0.0.0.0"),
  /** Name and port under which the others reach this instance. */
  REDIS_SELF: env.address(6379),
  /** All instances, this one among them, in the order of their numbers. */
  REDIS_INSTANCES: env.addresses(6379),
  /** All Sentinels. */
  REDIS_SENTINELS: env.addresses(26379),
  /** The name under which the Sentinels know this Redis. */
  MASTER_NAME: env.text("mymaster"),
  /** Directory of the data; it must outlive the process. */
  REDIS_DATA_DIR: env.text("/data"),
  /** `off`: the data are in memory alone. */
  REDIS_PERSISTENCE: env.choice(["aof", "off"], "aof"),
  /** Bytes. */
  REDIS_MAXMEMORY: env.integer(1, Number.MAX_SAFE_INTEGER, 128 * 2 ** 20),
  REDIS_MAXMEMORY_POLICY: env.text("noeviction"),
  /** Modules to load: `bundled`, or paths. */
  REDIS_MODULES: env.list(isModule, modulesAllowed),
  /** Further lines of redis.conf. */
  REDIS_EXTRA_CONFIG: env.optionalText(),
  /** When a write counts as done. With `quorum` an instance follows a master only when nothing is lost by that. */
  REDIS_DURABILITY: env.choice(["async", "sync", "quorum"], "async"),
  /** When the append-only file is written through to the disk. */
  REDIS_FSYNC: env.choice(["everysec", "always"], "everysec"),
  /** Port of /livez, /readyz and /metrics. */
  REDIS_ADMIN_PORT: env.port(8080),
  /** The user as which this instance's supervisor acts, here and on the Sentinels. Unset: the one named `default`. */
  REDIS_USERNAME: env.optionalText(),
  /** File with that user's password. Unset: no authentication. */
  REDIS_PASSWORD_FILE: env.optionalText(),
  /** `<instance>:<word>`: that instance becomes master once, whatever the Sentinels say. For disasters only. */
  HA_FORCE_MASTER: env.optionalText(),
  /**
   * The aclfile with all users of this Redis. Unset: every client is `default`, with the password above. This file and the
   * following ones are read again while the server runs.
   */
  REDIS_ACL_FILE: env.optionalText(),
  /** Directory with passwords that the platform gives: a file for each of those users, which the aclfile knows without one. */
  REDIS_USER_PASSWORDS_DIR: env.optionalText(),
  /** File with the password of `replica`. Needed with an aclfile. */
  REDIS_REPLICA_PASSWORD_FILE: env.optionalText(),
  /** File with the password of `sentinel`, as which the Sentinels come here. Unset: they come as the user above. */
  REDIS_SENTINEL_PASSWORD_FILE: env.optionalText(),
  /** File with the password of `probe`, as which the other instances are asked. Unset: they are asked as the user above. */
  REDIS_PROBE_PASSWORD_FILE: env.optionalText(),
  /** Directory with tls.crt, tls.key and ca.crt. Unset: without TLS. The files are read again while the server runs. */
  REDIS_TLS_DIR: env.optionalText(),
  /** Whether clients have to have a certificate, too. */
  REDIS_TLS_AUTH_CLIENTS: env.yesNo("yes"),
  /** Where backups are kept: `s3://bucket/prefix` or `file:///path`. Unset: there are none. */
  BACKUP_DESTINATION: env.optionalText(),
  /** Of a store other than Amazon's, `https://host[:port]`. */
  BACKUP_ENDPOINT: env.optionalText(),
  BACKUP_REGION: env.optionalText(),
  /** Directory with access-key-id, secret-access-key, ca.crt and encryption-key, as far as they are needed. */
  BACKUP_SECRETS_DIR: env.optionalText(),
  /** Whether backups are encrypted with that key. */
  BACKUP_ENCRYPTED: env.yesNo("no"),
  /** Address of a name server for the store's name alone. Unset: the machine's own. */
  BACKUP_NAME_SERVER: env.optionalText(),
  /** Five fields of cron, in UTC. Unset: backups are made on demand. */
  BACKUP_SCHEDULE: env.optionalText(),
  /** How many good backups are kept, and for how many days; 0 days: the number alone decides. */
  BACKUP_KEEP: env.integer(1, 10_000, 14),
  BACKUP_KEEP_DAYS: env.integer(0, 36_500, 0),
  /** Bound of what a backup reads. */
  BACKUP_BYTES_PER_SECOND: env.integer(2 ** 16, Number.MAX_SAFE_INTEGER, 64 * 2 ** 20),
  /** Id of a backup, or `latest`: what the first master begins with when no instance has ever had data. */
  BACKUP_RESTORE_FROM: env.optionalText(),
  ...moveContract,
  LOG_LEVEL: env.text("info"),
} as const;

/** Reads a Redis instance's environment; every mistake at once. */
export function readRedisEnvironment(environment: Readonly<Record<string, string | undefined>>) {
  return readEnvironment(contract, environment);
}

/** What {@link readRedisEnvironment} gives. */
export type RedisEnvironment = ReturnType<typeof readRedisEnvironment>;
