import type { Connections } from "../connections.ts";

/** An output of the component, as Pulumi's schema describes it. */
export interface Output {
  readonly type: "string" | "integer" | "users";
  readonly description: string;
  /** Not there with every choice of arguments. */
  readonly optional?: boolean;
  readonly secret?: boolean;
}

/** The outputs of `RedisHa`. */
export const outputs: Readonly<Record<keyof Connections | "masterName", Output>> = {
  proxyEndpoint: { type: "string", description: "`host:port` for plain Redis clients inside the cluster." },
  proxyHost: { type: "string", description: "The host of `proxyEndpoint`." },
  proxyPort: { type: "integer", description: "The port of `proxyEndpoint`." },
  externalEndpoint: {
    type: "string",
    description: "`host:port` for clients outside the cluster; empty unless `proxy.serviceType` offers one.",
  },
  sentinelEndpoint: {
    type: "string",
    description: "`host:port` for Sentinel clients: the proxy's own Sentinel API, or all real Sentinels.",
  },
  masterName: { type: "string", description: "The name that Sentinel clients ask for." },
  namespace: { type: "string", description: "The namespace of everything." },
  users: {
    type: "users",
    secret: true,
    description: "The applications' users: password, Secret and connection string of each, by name.",
  },
  credentialsSecret: {
    type: "string",
    optional: true,
    description: "Name of the Secret of the first user; its key is `password`.",
  },
  password: { type: "string", optional: true, secret: true, description: "Password of the first user." },
  connectionString: {
    type: "string",
    optional: true,
    secret: true,
    description: "`redis://` or `rediss://` address of the first user, with the password.",
  },
  exporterSecret: {
    type: "string",
    optional: true,
    description: "Name of the Secret with the password of the user `exporter`, for a metrics exporter.",
  },
  caCertificate: {
    type: "string",
    optional: true,
    description:
      "What clients have to trust, as PEM. Absent without TLS, and where certificates come from elsewhere.",
  },
};
