import * as pulumi from "@pulumi/pulumi";
import { Addresses } from "./components/addresses.ts";
import { Certificates } from "./components/certificates.ts";
import { connectCluster } from "./components/cluster.ts";
import { ConfigCheck } from "./components/config-check.ts";
import { Credentials } from "./components/credentials.ts";
import { resolveImages } from "./components/images.ts";
import { identifyInstallation } from "./components/installation.ts";
import { Instances } from "./components/instances.ts";
import { NetworkPolicies } from "./components/network-policies.ts";
import { Rollouts } from "./components/rollout/rollouts.ts";
import { SentinelProxy } from "./components/sentinel-proxy.ts";
import { Volumes } from "./components/volumes.ts";
import { checkPlace } from "./ownership/check-place.ts";
import { fixedNames } from "./ownership/fixed-names.ts";
import { stackLabel } from "./settings/stack-name.ts";
import { readSettings } from "./settings.ts";
import { clusterSiteIn, ports, serviceNames } from "./topology/site.ts";
import { describeTopology } from "./topology/topology.ts";

const settings = readSettings();
const topology = describeTopology(settings, clusterSiteIn(settings.deployment.namespace));
const { stack } = settings;

const installation = await identifyInstallation(stack);
const found = await checkPlace(settings.deployment, fixedNames(topology, settings), {
  stack: installation.stack,
  label: stackLabel(stack),
  installation: installation.number,
});
const { owning, adopting } = connectCluster(settings.deployment.context);
const images = await resolveImages(settings.images);
const rollouts = Rollouts.ofThisRun({
  namespace: settings.deployment.namespace,
  context: settings.deployment.context,
  timeoutSeconds: settings.deployment.rolloutSeconds,
});
/** The last first: when instance 1, the first master of a new cluster, decides to lead, it wants an answer from all others. */
const redisOrder = topology.redis.toReversed();
const order = {
  sentinels: (await rollouts?.order(topology.sentinels)) ?? topology.sentinels,
  redis: (await rollouts?.order(redisOrder)) ?? redisOrder,
};

const volumes = new Volumes(
  "volumes",
  {
    stack,
    workloads: [...topology.redis, ...topology.sentinels],
    deployment: settings.deployment,
    storageClass: settings.redis.storageClass,
    accessMode: settings.redis.accessMode,
    marks: installation.marks,
    found,
  },
  { provider: adopting },
);
const inNamespace = { stack, namespace: volumes.namespace };
const credentials = new Credentials(
  "credentials",
  {
    ...inNamespace,
    users: settings.redis.users,
    allowedCommands: settings.proxy.allowCommands,
    generation: settings.redis.passwordGeneration,
    clientsAskSentinels: !settings.proxy.sentinelApi,
  },
  { provider: owning },
);
const certificates = new Certificates(
  "certificates",
  { ...inNamespace, settings, topology },
  { provider: owning },
);
const addresses = new Addresses("addresses", { ...inNamespace, topology }, { provider: owning });
if (settings.network.policies) {
  new NetworkPolicies("network", { ...inNamespace, settings }, { provider: owning });
}

const pods = {
  ...inNamespace,
  claims: volumes.claims,
  secretFiles: credentials.files,
  certificates: certificates.secrets,
  hostAliases: addresses.hostAliases,
  pullSecret: settings.images.pullSecret,
  priorityClass: settings.deployment.priorityClass,
  spread: settings.deployment.spread,
  rollouts,
};
const { extraConfig } = settings.redis;
const check =
  extraConfig === ""
    ? undefined
    : new ConfigCheck(
        "config-check",
        {
          ...inNamespace,
          image: images.sentinel,
          extraConfig,
          pullSecret: settings.images.pullSecret,
          rollouts,
        },
        { provider: owning },
      );
const sentinels = new Instances(
  "sentinel",
  {
    ...pods,
    image: images.sentinel,
    workloads: order.sentinels,
    tolerationSeconds: settings.sentinel.tolerationSeconds,
  },
  { provider: owning, after: check?.passed },
);
const redis = new Instances(
  "redis",
  {
    ...pods,
    image: images.sentinel,
    workloads: order.redis,
    tolerationSeconds: settings.redis.tolerationSeconds,
  },
  { provider: owning, after: sentinels.last },
);
const proxy = new SentinelProxy(
  "proxy",
  {
    ...pods,
    image: images.proxy,
    workload: topology.proxy,
    serviceType: settings.proxy.serviceType,
    tolerationSeconds: settings.proxy.tolerationSeconds,
  },
  { provider: owning, dependsOn: redis.last },
);

/** `host:port` that plain Redis clients inside the cluster connect to. */
export const proxyEndpoint = pulumi.interpolate`${proxy.host}:${ports.redis}`;
export const proxyHost = proxy.host;
export const proxyPort = ports.redis;
/** `host:port` for clients outside the cluster; empty unless proxy:serviceType offers one. */
export const externalEndpoint = proxy.externalEndpoint;
/** `host:port` for Sentinel clients: the proxy's own Sentinel API, or all real Sentinels. */
export const sentinelEndpoint = settings.proxy.sentinelApi
  ? pulumi.interpolate`${proxy.host}:${ports.sentinel}`
  : pulumi.interpolate`${serviceNames.sentinels}.${volumes.namespace}.svc:${ports.sentinel}`;
export const masterName = settings.sentinel.masterName;
export const namespace = volumes.namespace;
const [firstUser] = settings.redis.users.map(({ name }) => name);
const connectionStringOf = (user: string, secret: pulumi.Output<string>): pulumi.Output<string> =>
  // Clients that know no users understand this as a password alone.
  pulumi.interpolate`${settings.tls.mode === "off" ? "redis" : "rediss"}://${user === "default" ? "" : user}:${secret}@${proxy.host}:${ports.redis}`;
const logins = [...credentials.users].map(([user, { password: secret, secretName }]) => ({
  user,
  password: secret,
  secretName,
  connectionString: connectionStringOf(user, secret),
}));
const first = logins.find(({ user }) => user === firstUser);

/** The applications' users: password, Secret and connection string of each. */
export const users = pulumi.secret(
  Object.fromEntries(logins.map(({ user, ...login }) => [user, login] as const)),
);
/** The first user's. Name of the Secret whose key `password` applications mount. */
export const credentialsSecret = first?.secretName;
export const password = first && pulumi.secret(first.password);
export const connectionString = first && pulumi.secret(first.connectionString);
/** Name of the Secret with the password of the user `exporter`, for a metrics exporter. */
export const exporterSecret = credentials.files.get("exporter")?.secretName;
/** What clients have to trust, as PEM; undefined without TLS, and where certificates come from elsewhere. */
export const caCertificate = certificates.authority;
