import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/resolve-settings.ts";
import type { Parts } from "./make-parts.ts";
import { ports } from "./topology/site.ts";

/** How one of the applications' users connects. */
export interface UserConnection {
  /** Undefined, as the connection string is, when the platform gives the password. */
  readonly password: pulumi.Output<string> | undefined;
  /** Name of the user's Secret; its key is `password`, or the one that `redis:users` names. */
  readonly secretName: pulumi.Output<string>;
  readonly connectionString: pulumi.Output<string> | undefined;
}

/** Everything that clients need. */
export interface Connections {
  readonly proxyEndpoint: pulumi.Output<string>;
  readonly proxyHost: pulumi.Output<string>;
  readonly proxyPort: number;
  readonly externalEndpoint: pulumi.Output<string>;
  readonly sentinelEndpoint: pulumi.Output<string>;
  readonly namespace: pulumi.Output<string>;
  readonly users: pulumi.Output<Readonly<Record<string, pulumi.Unwrap<UserConnection>>>>;
  readonly credentialsSecret: pulumi.Output<string> | undefined;
  readonly password: pulumi.Output<string> | undefined;
  readonly connectionString: pulumi.Output<string> | undefined;
  readonly exporterSecret: pulumi.Output<string> | undefined;
  readonly caCertificate: pulumi.Output<string> | undefined;
}

/** How clients reach a set of Redis, and what they log in with. */
export function connectionsOf(
  { naming, namespace, credentials, certificates, proxy }: Parts,
  settings: Settings,
): Connections {
  const scheme = settings.tls.mode === "off" ? "redis" : "rediss";
  const logins = new Map<string, UserConnection>(
    [...credentials.users].map(([user, { password, secretName }]) => [
      user,
      {
        password,
        secretName,
        // Clients that know no users understand this as a password alone.
        connectionString:
          password &&
          pulumi.interpolate`${scheme}://${user === "default" ? "" : user}:${password}@${proxy.host}:${ports.redis}`,
      },
    ]),
  );
  const first = logins.get(settings.redis.users[0]?.name ?? "");
  return {
    proxyEndpoint: pulumi.interpolate`${proxy.host}:${ports.redis}`,
    proxyHost: proxy.host,
    proxyPort: ports.redis,
    externalEndpoint: proxy.externalEndpoint,
    sentinelEndpoint: settings.proxy.sentinelApi
      ? pulumi.interpolate`${proxy.host}:${ports.sentinel}`
      : pulumi.interpolate`${naming.sentinels}.${namespace}.svc:${ports.sentinel}`,
    namespace,
    users: pulumi.secret(Object.fromEntries(logins)) as unknown as Connections["users"],
    credentialsSecret: first?.secretName,
    password: first?.password && pulumi.secret(first.password),
    connectionString: first?.connectionString && pulumi.secret(first.connectionString),
    exporterSecret: credentials.files.get("exporter")?.secretName,
    caCertificate: certificates.authority,
  };
}
