import type { Address } from "../../runtime/address.ts";
import { redisMaxclients } from "../../runtime/connection-limits.ts";
import type { TlsFiles } from "../../runtime/tls-files.ts";
import { quoteArgument } from "./conf-line.ts";

/** Everything that decides the text of redis.conf. */
export interface RedisConfInput {
  readonly bind: string;
  readonly self: Address;
  readonly dataDirectory: string;
  readonly maxmemoryBytes: number;
  readonly maxmemoryPolicy: string;
  /** Replicas without which a master takes no writes. Default 1. */
  readonly neededReplicas?: number;
  /** When the append-only file is written through to the disk. Default `everysec`. */
  readonly fsync?: "everysec" | "always";
  /** Redis instances of the stack, this one included. */
  readonly instanceCount: number;
  /** Whether data are written to the disk. Default: true. */
  readonly persistent?: boolean;
  /** Files of modules. */
  readonly modules?: readonly string[];
  readonly extraConfig: string | undefined;
  /** Of everybody, without an aclfile. */
  readonly password: string | undefined;
  /** The file with all users, and the password with which this instance follows another one. */
  readonly acl?: { readonly file: string; readonly replicaPassword: string } | undefined;
  /** With it everybody has to use TLS, in replication, too. */
  readonly tls?: { readonly files: TlsFiles; readonly authClients: "yes" | "no" } | undefined;
  /** The master to follow; undefined to start as the master. */
  readonly master: Address | undefined;
  /** As whom it comes to that one; undefined: as all replicas of this set do. */
  readonly masterLogin?: { readonly username: string | undefined; readonly password: string | undefined };
}

/**
 * redis.conf for this start. It is rendered anew each time: the role comes from the Sentinels, never from what a
 * `CONFIG REWRITE` left behind.
 */
export function renderRedisConf(input: RedisConfInput): string {
  const { self, master, maxmemoryBytes, modules = [] } = input;
  const lines: (readonly [why: string, ...directives: string[]])[] = [
    [
      "Address. Names are announced, since a pod's own address changes.",
      `bind ${quoteArgument(input.bind)}`,
      ...listenerLines(input),
      `replica-announce-ip ${quoteArgument(self.host)}`,
      `replica-announce-port ${self.port}`,
      "tcp-keepalive 30",
      "timeout 0",
    ],
    [
      "Access. The users' passwords protect it; protected mode would only refuse the other pods.",
      "protected-mode no",
      ...accessLines(input),
      ...masterLoginLines(input),
      "enable-debug-command no",
      "enable-module-command no",
      "enable-protected-configs no",
    ],
    storageLines(input),
    [
      "No fork on its own accord: it can double the memory. The supervisor starts rewrites, one instance at a time.",
      "auto-aof-rewrite-percentage 0",
      'save ""',
    ],
    [
      "A master without a replica that keeps up stops writing: an isolated or returned one is fenced within 3 s.",
      `min-replicas-to-write ${input.neededReplicas ?? 1}`,
      "min-replicas-max-lag 2",
    ],
    [
      "A replica may be promoted only after its first sync: the supervisor then sets 100.",
      "replica-priority 0",
      "replica-serve-stale-data yes",
      "replica-read-only yes",
    ],
    [
      "Resynchronise quickly and by the difference where possible; notice dead links soon.",
      `repl-backlog-size ${Math.max(2 ** 20, Math.min(64 * 2 ** 20, Math.floor(maxmemoryBytes / 8)))}`,
      "repl-backlog-ttl 0",
      "repl-diskless-sync yes",
      "repl-diskless-sync-delay 0",
      `repl-diskless-sync-max-replicas ${input.instanceCount - 1}`,
      // A full copy's first step: freeing the old data would keep the server silent for seconds, and its probe would end it.
      "replica-lazy-flush yes",
      "repl-timeout 15",
      "repl-ping-replica-period 3",
      `client-output-buffer-limit replica ${Math.floor(maxmemoryBytes / 2)} ${Math.floor(maxmemoryBytes / 4)} 60`,
    ],
    [
      "Memory. A connection of a proxy carries many clients: none is ended for what all of them need together.",
      `maxmemory ${maxmemoryBytes}`,
      `maxmemory-policy ${input.maxmemoryPolicy}`,
      "maxmemory-clients 0",
    ],
    ["Connections: more than all proxies together can open.", `maxclients ${redisMaxclients}`],
    [
      "Process. The supervisor reads the log and waits for a clean end.",
      "daemonize no",
      'logfile ""',
      "shutdown-timeout 10",
      "shutdown-on-sigterm default",
      "latency-monitor-threshold 100",
    ],
    ...(modules.length === 0
      ? []
      : [
          // Before the lines of the configuration, which may be about them.
          ["Modules.", ...modules.map((file) => `loadmodule ${quoteArgument(file)}`)] as const,
        ]),
    ...(input.extraConfig === undefined
      ? []
      : [["From the stack's configuration.", ...input.extraConfig.split("\n")] as const]),
    ...(master === undefined
      ? []
      : [["Role, as the Sentinels say.", `replicaof ${quoteArgument(master.host)} ${master.port}`] as const]),
  ];
  return lines.map(([why, ...directives]) => `# ${why}\n${directives.join("\n")}\n`).join("\n");
}

function storageLines({
  dataDirectory,
  fsync = "everysec",
  persistent = true,
}: RedisConfInput): [why: string, ...string[]] {
  const directory = `dir ${quoteArgument(dataDirectory)}`;
  if (!persistent) {
    return [
      "No storage. What a full copy from the master leaves as a file would be loaded at the next start.",
      directory,
      "appendonly no",
      "rdb-del-sync-files yes",
    ];
  }
  return [
    "Storage. A killed process loses nothing that it acknowledged, a lost machine about a second, and with `always` nothing.",
    directory,
    "appendonly yes",
    `appendfsync ${fsync}`,
    // An fsync that a rewrite holds up is none.
    "no-appendfsync-on-rewrite no",
    "aof-use-rdb-preamble yes",
    "aof-load-truncated yes",
  ];
}

function accessLines({ acl, password }: RedisConfInput): string[] {
  if (acl !== undefined) return [`aclfile ${quoteArgument(acl.file)}`];
  return password === undefined ? [] : [`requirepass ${quoteArgument(password)}`];
}

function masterLoginLines({ acl, password: own, masterLogin }: RedisConfInput): string[] {
  const usual =
    acl === undefined
      ? { username: undefined, password: own }
      : { username: "replica", password: acl.replicaPassword };
  const { username, password } = masterLogin ?? usual;
  return [
    ...(username === undefined ? [] : [`masteruser ${quoteArgument(username)}`]),
    ...(password === undefined ? [] : [`masterauth ${quoteArgument(password)}`]),
  ];
}

function listenerLines({ self, tls }: RedisConfInput): string[] {
  if (tls === undefined) return [`port ${self.port}`];
  const { files, authClients } = tls;
  return [
    "port 0",
    `tls-port ${self.port}`,
    `tls-cert-file ${quoteArgument(files.path("cert"))}`,
    `tls-key-file ${quoteArgument(files.path("key"))}`,
    `tls-ca-cert-file ${quoteArgument(files.path("ca"))}`,
    // A certificate that is offered all the same has to be a good one.
    `tls-auth-clients ${authClients === "yes" ? "yes" : "optional"}`,
    "tls-replication yes",
    'tls-protocols "TLSv1.2 TLSv1.3"',
  ];
}
