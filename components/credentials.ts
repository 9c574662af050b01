import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { type AccessSettings, type AclFiles, renderAclFiles } from "../runtime/access/acl-files.ts";
import { partUsers } from "../runtime/access/parts.ts";
import { acceptedGenerations, derivePassword } from "../runtime/access/passwords.ts";
import type { Settings } from "../settings/resolve-settings.ts";
import type { Naming } from "./naming.ts";
import type { SecretFile } from "./topology/workload.ts";

/** Arguments of {@link Credentials}. */
export interface CredentialsArgs extends AccessSettings {
  readonly naming: Naming;
  readonly namespace: pulumi.Input<string>;
  /** Generation of the passwords in use, from 1 on. */
  readonly generation: number;
  /** Whose Secrets backups need. */
  readonly backup: Pick<Settings["backup"], "credentialsSecret" | "encryptionKey">;
  /** Whose Secret has the password of a Redis that is taken over. */
  readonly move: Pick<Settings["move"], "passwordSecret">;
}

/** Where a secret file is: the name of a Secret, and the key in it. */
export interface SecretSource {
  readonly secretName: pulumi.Output<string>;
  readonly key: string;
  /** Whether a pod starts without it: what others own may be gone for a time. */
  readonly optional?: boolean;
}

/** An application's user. */
export interface UserCredentials {
  /** Undefined when the platform gives it. */
  readonly password: pulumi.Output<string> | undefined;
  /** Name of the user's Secret; its key is `password`, or the one that `redis:users` names. */
  readonly secretName: pulumi.Output<string>;
}

/**
 * All users and their passwords. Each password is in a Secret of its own; the servers know hashes only, in Secrets, too. A
 * change updates the Secrets in place: the parts take new passwords while they run.
 */
export class Credentials extends pulumi.ComponentResource {
  /** The secret files that pods mount. */
  readonly files: ReadonlyMap<SecretFile, SecretSource>;
  /** The applications' users, by name, in the order of the configuration. */
  readonly users: ReadonlyMap<string, UserCredentials>;

  constructor(name: string, args: CredentialsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("redis-ha:index:Credentials", name, {}, opts);
    const { naming } = args;
    const accepted = acceptedGenerations(args.generation);
    // Letters and digits only. 64 of them are 381 bits.
    const seeds = accepted.map(
      (generation) =>
        new random.RandomPassword(
          naming.resource(`credentials-seed-${generation}`),
          { length: 64, special: false },
          { parent: this },
        ).result,
    );
    const current = seeds[accepted.indexOf(args.generation)] ?? pulumi.output("");
    const passwordOf = (user: string): pulumi.Output<string> =>
      pulumi.secret(pulumi.output(current).apply((seed) => derivePassword(seed, user)));
    const acl = pulumi.secret(pulumi.all(seeds).apply((known) => renderAclFiles(args, known)));

    const store = (resource: string, key: string, value: pulumi.Output<string>): SecretSource => ({
      secretName: new k8s.core.v1.Secret(
        naming.resource(resource),
        {
          metadata: { namespace: args.namespace, labels: naming.common() },
          type: "Opaque",
          stringData: { [key]: value },
        },
        { parent: this },
      ).metadata.name,
      key,
    });
    const files = new Map<SecretFile, SecretSource>();
    for (const part of partUsers) files.set(part, store(`password-${part}`, "password", passwordOf(part)));
    for (const kind of ["redis", "sentinel", "clients"] as const) {
      const text = acl.apply((all: AclFiles) => all[kind]);
      files.set(`${kind}.acl`, store(`acl-${kind}`, "users.acl", text));
    }
    for (const [file, source] of backupSources(args.backup)) files.set(file, source);
    const { passwordSecret: moved } = args.move;
    if (moved !== undefined)
      files.set("move/password", { secretName: pulumi.output(moved.name), key: moved.key ?? "password" });
    this.files = files;
    this.users = new Map(
      args.users.map(({ name: user, existingSecret }): [string, UserCredentials] => {
        if (existingSecret !== undefined) {
          const { name: given, key = "password" } = existingSecret;
          files.set(`users/${user}`, { secretName: pulumi.output(given), key, optional: true });
          return [user, { password: undefined, secretName: pulumi.output(given) }];
        }
        const password = passwordOf(user);
        const { secretName } = store(`credentials-${user}`, "password", password);
        return [user, { password, secretName }];
      }),
    );
    this.registerOutputs({});
  }
}

/** Others own them. A Redis starts without: it only makes no backups then, and says so. */
function* backupSources({
  credentialsSecret,
  encryptionKey,
}: CredentialsArgs["backup"]): Iterable<[SecretFile, SecretSource]> {
  if (credentialsSecret !== undefined) {
    const secretName = pulumi.output(credentialsSecret);
    for (const key of ["access-key-id", "secret-access-key", "ca.crt"])
      yield [`backup/${key}`, { secretName, key, optional: true }];
  }
  if (encryptionKey !== undefined) {
    const { name, key = "encryption-key" } = encryptionKey;
    yield ["backup/encryption-key", { secretName: pulumi.output(name), key, optional: true }];
  }
}
