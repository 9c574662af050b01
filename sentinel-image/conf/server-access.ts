import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { ControlConnection, ControlConnectionOptions } from "../../quorum/control-connection.ts";
import { parseAclFile } from "../../runtime/access/acl-user.ts";
import { GivenPasswords } from "../../runtime/access/given-passwords.ts";
import { messageOf } from "../../runtime/log.ts";
import { readPassword } from "../../runtime/password-file.ts";
import { replaceFile } from "../../runtime/replace-file.ts";
import { TlsFiles } from "../../runtime/tls-files.ts";
import type { RedisEnvironment } from "./redis-environment.ts";

/** A user with its password, which is read anew at each use. */
export type Login = Required<Pick<ControlConnectionOptions, "username" | "tls">> & {
  readonly password: () => string | undefined;
};

/** Who may do what on an instance's server, and as whom this program acts. Files are read anew at each use. */
export interface ServerAccess {
  /** For its own server and the Sentinels. */
  readonly supervisor: Login;
  /** As whom the Sentinels come to Redis: a Sentinel that is repaired has to be told. */
  readonly sentinel: Login;
  /** For the other instances. */
  readonly probe: Login;
  /** As whom all data of a server may be read. */
  readonly replica: Login;
  /** The users of the server; undefined when everybody has one password. */
  readonly acl: (() => { readonly file: string; readonly replicaPassword: string }) | undefined;
  /** The certificate of the server, and of this program; undefined without TLS. */
  readonly tls: TlsFiles | undefined;
}

/**
 * The access that the environment describes.
 *
 * @throws {Error} when a password can't be read.
 */
export function readAccess(environment: RedisEnvironment): ServerAccess {
  const { REDIS_USERNAME, REDIS_PASSWORD_FILE, REDIS_ACL_FILE, REDIS_PROBE_PASSWORD_FILE } = environment;
  const tls = environment.REDIS_TLS_DIR === undefined ? undefined : new TlsFiles(environment.REDIS_TLS_DIR);
  const supervisor: Login = {
    username: REDIS_USERNAME,
    tls,
    password: () => readPassword(REDIS_PASSWORD_FILE),
  };
  const probe: Login =
    REDIS_PROBE_PASSWORD_FILE === undefined
      ? supervisor
      : { username: "probe", tls, password: () => readPassword(REDIS_PROBE_PASSWORD_FILE) };
  const sentinelFile = environment.REDIS_SENTINEL_PASSWORD_FILE;
  const sentinel: Login =
    sentinelFile === undefined
      ? supervisor
      : { username: "sentinel", tls, password: () => readPassword(sentinelFile) };
  const replica: Login =
    REDIS_ACL_FILE === undefined
      ? supervisor
      : { username: "replica", tls, password: () => readPassword(environment.REDIS_REPLICA_PASSWORD_FILE) };
  const completed = completedFile(environment);
  const acl =
    REDIS_ACL_FILE === undefined
      ? undefined
      : () => {
          const replicaPassword = readPassword(environment.REDIS_REPLICA_PASSWORD_FILE);
          if (replicaPassword === undefined) {
            throw new Error("REDIS_ACL_FILE is set: set REDIS_REPLICA_PASSWORD_FILE, too");
          }
          return { file: completed(REDIS_ACL_FILE), replicaPassword };
        };
  for (const { password } of [supervisor, sentinel, probe]) password();
  acl?.();
  return { supervisor, sentinel, probe, replica, acl, tls };
}

/** Gives the path of an aclfile that is complete: with the passwords that the platform gives. */
function completedFile({
  REDIS_USER_PASSWORDS_DIR: directory,
  REDIS_SELF,
}: RedisEnvironment): (file: string) => string {
  if (directory === undefined) return (file) => file;
  const given = new GivenPasswords(directory);
  const path = join(tmpdir(), `redis-ha-users-${REDIS_SELF.port}.acl`);
  let written: string | undefined;
  return (file) => {
    const text = given.complete(readFileSync(file, "utf8"));
    if (text !== written) replaceFile(path, text);
    written = text;
    return path;
  };
}

/** Everything that {@link keepAccess} watches. */
export interface AccessState {
  readonly users: string;
  readonly certificate: string;
}

/** What is in the files now. @throws {Error} when one can't be read. */
export function readState({ acl, tls }: ServerAccess): AccessState {
  const read = acl?.();
  return {
    users: read === undefined ? "" : JSON.stringify([readFileSync(read.file, "utf8"), read.replicaPassword]),
    certificate: tls === undefined ? "" : JSON.stringify(tls.read()),
  };
}

const lookEveryMs = 1000;

export interface KeepAccessOptions {
  readonly access: ServerAccess;
  /** What {@link readState} gave before the server read its files. */
  readonly inForce: AccessState;
  /** Opens a connection with the own server. */
  readonly connect: () => ControlConnection;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Brings changed users, passwords and certificates into the running server, until `signal`: nobody is disconnected who may still come.
 */
export async function keepAccess(options: KeepAccessOptions): Promise<void> {
  const { access, connect, log, signal } = options;
  const { acl, tls } = access;
  const server = connect();
  let { inForce } = options;
  let lastProblem = "";
  while (!signal.aborted) {
    try {
      const wanted = readState(access);
      if (acl !== undefined && wanted.users !== inForce.users) {
        const { file, replicaPassword } = acl();
        await applyUsers(server, readFileSync(file, "utf8"));
        await server.call("CONFIG", "SET", "masterauth", replicaPassword);
        log.info("changed users and passwords are in force");
        inForce = { ...inForce, users: wanted.users };
      }
      if (tls !== undefined && wanted.certificate !== inForce.certificate) {
        await applyCertificate(server, tls);
        log.info("the changed certificate is in force");
        inForce = { ...inForce, certificate: wanted.certificate };
      }
      lastProblem = "";
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== lastProblem && !signal.aborted)
        log.warn({ problem }, "users can't be brought up to date");
      lastProblem = problem;
    }
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
  server.close();
}

/**
 * Makes the users of a running server those of an aclfile. Not by `ACL LOAD`: Redis 7.0 then ends the connections of all
 * users. A user who is no longer there loses its connections.
 *
 * @throws {Error} when the text is no aclfile, or the server refuses it or doesn't answer.
 */
export async function applyUsers(server: ControlConnection, aclFile: string): Promise<void> {
  const users = parseAclFile(aclFile);
  if (users.length === 0) throw new Error("the aclfile has no users");
  // Each is replaced in one step: nobody ever sees one that is half done.
  for (const { name, words } of users) await server.call("ACL", "SETUSER", name, "reset", ...words);
  const there = await server.call("ACL", "USERS");
  const wanted = new Set(users.map(({ name }) => name));
  const gone = (Array.isArray(there) ? there.map(String) : []).filter((name) => !wanted.has(name));
  if (gone.length > 0) await server.call("ACL", "DELUSER", ...gone);
}

/** Redis reads the files again, for connections that come later. @throws {Error} when it can't use them. */
async function applyCertificate(server: ControlConnection, tls: TlsFiles): Promise<void> {
  const files = ["tls-cert-file", tls.path("cert"), "tls-key-file", tls.path("key")];
  await server.call("CONFIG", "SET", ...files, "tls-ca-cert-file", tls.path("ca"));
}
