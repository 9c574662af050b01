import type * as pulumi from "@pulumi/pulumi";
import type { ImagesArgs } from "../settings/args.ts";
import type { Settings } from "../settings/resolve-settings.ts";
import { stackLabel } from "../settings/stack-name.ts";
import { Addresses } from "./addresses.ts";
import { Certificates } from "./certificates.ts";
import { connectCluster } from "./cluster.ts";
import { ConfigCheck } from "./config-check.ts";
import { Credentials } from "./credentials.ts";
import { podsOf } from "./deployment.ts";
import { identifyInstallation } from "./installation.ts";
import { Instances } from "./instances.ts";
import { Monitoring } from "./monitoring/monitoring.ts";
import { Naming } from "./naming.ts";
import { NetworkPolicies } from "./network-policies.ts";
import { checkPlace } from "./ownership/check-place.ts";
import { fixedNames } from "./ownership/fixed-names.ts";
import type { ImageReference } from "./pod.ts";
import { Rollouts } from "./rollout/rollouts.ts";
import { SentinelProxy } from "./sentinel-proxy.ts";
import { clusterSite } from "./topology/site.ts";
import { describeTopology } from "./topology/topology.ts";
import { Volumes } from "./volumes.ts";

/** One set of Redis, Sentinels and proxies. */
export interface PartsOptions {
  readonly parent: pulumi.Resource;
  /** Name of the component that they are parts of. */
  readonly component: string;
  readonly images: ImagesArgs;
  readonly settings: Settings;
}

/** What clients need of them. */
export interface Parts {
  readonly naming: Naming;
  readonly namespace: pulumi.Output<string>;
  readonly credentials: Credentials;
  readonly certificates: Certificates;
  readonly proxy: SentinelProxy;
}

/** Declares everything that a set consists of, in the order in which it is made and rolled. */
export async function makeParts({ parent, component, images, settings }: PartsOptions): Promise<Parts> {
  const { stack, deployment } = settings;
  const naming = new Naming({
    stack,
    component,
    prefix: deployment.namePrefix ?? "",
    labels: deployment.labels,
  });
  const topology = describeTopology(
    settings,
    clusterSite(deployment.namespace, naming, settings.network.ipFamily),
  );
  const of = (name: string): [string, { parent: pulumi.Resource }] => [naming.resource(name), { parent }];

  const installation = await identifyInstallation(stack, ...of("installation"));
  const who = { stack: installation.stack, label: stackLabel(stack), installation: installation.number };
  const found = await checkPlace(deployment, fixedNames(topology, settings, naming), who, naming.pods());
  const { owning, adopting } = connectCluster(deployment.context, naming, parent);
  const owned = { parent, provider: owning };
  const rollouts = Rollouts.ofThisRun({
    namespace: deployment.namespace,
    naming,
    context: deployment.context,
    timeoutSeconds: deployment.rolloutSeconds,
  });
  await rollouts?.lead(topology.redis);
  /** The last first: when instance 1, the first master of a new cluster, decides to lead, it wants an answer from all others. */
  const redisOrder = topology.redis.toReversed();
  const order = {
    sentinels: (await rollouts?.order(topology.sentinels)) ?? topology.sentinels,
    redis: (await rollouts?.order(redisOrder)) ?? redisOrder,
  };

  const volumes = new Volumes(
    naming.resource("volumes"),
    {
      naming,
      workloads: [...topology.redis, ...topology.sentinels],
      deployment,
      storageClass: settings.redis.storageClass,
      accessMode: settings.redis.accessMode,
      marks: installation.marks,
      found,
    },
    { parent, provider: adopting },
  );
  const inNamespace = { naming, namespace: volumes.namespace };
  const credentials = new Credentials(
    naming.resource("credentials"),
    {
      ...inNamespace,
      users: settings.redis.users,
      allowedCommands: settings.proxy.allowCommands,
      quorum: settings.redis.durability === "quorum",
      generation: settings.redis.passwordGeneration,
      clientsAskSentinels: !settings.proxy.sentinelApi,
      backup: settings.backup,
      move: settings.move,
    },
    owned,
  );
  const certificates = new Certificates(
    naming.resource("certificates"),
    { ...inNamespace, settings, topology },
    owned,
  );
  const addresses = new Addresses(naming.resource("addresses"), { ...inNamespace, topology }, owned);
  if (settings.network.policies)
    new NetworkPolicies(naming.resource("network"), { ...inNamespace, settings }, owned);
  const { podMonitor, rules, dashboard } = settings.monitoring;
  if (podMonitor || rules || dashboard)
    new Monitoring(naming.resource("monitoring"), { ...inNamespace, settings }, owned);

  const image: Record<"sentinel" | "proxy", ImageReference> = {
    sentinel: { reference: images.sentinel, revision: images.sentinelRevision },
    proxy: { reference: images.proxy, revision: images.proxyRevision },
  };
  const pods = {
    ...inNamespace,
    claims: volumes.claims,
    secretFiles: credentials.files,
    certificates: certificates.secrets,
    hostAliases: addresses.hostAliases,
    pullSecret: settings.images.pullSecret,
    pullPolicy: settings.images.pullPolicy,
    annotations: deployment.annotations,
    spread: deployment.spread,
    rollouts,
  };
  const { extraConfig, modules } = settings.redis;
  const check =
    extraConfig === "" && modules === undefined
      ? undefined
      : new ConfigCheck(
          naming.resource("config-check"),
          {
            ...pods,
            ...podsOf("redis", settings),
            image: image.sentinel,
            engine: settings.images.engine,
            extraConfig,
            modules,
          },
          owned,
        );
  const sentinels = new Instances(
    naming.resource("sentinel"),
    {
      ...pods,
      image: image.sentinel,
      workloads: order.sentinels,
      ...podsOf("sentinel", settings),
    },
    { ...owned, after: check?.passed },
  );
  const redis = new Instances(
    naming.resource("redis"),
    {
      ...pods,
      image: image.sentinel,
      workloads: order.redis,
      ...podsOf("redis", settings),
    },
    { ...owned, after: sentinels.last },
  );
  const proxy = new SentinelProxy(
    naming.resource("proxy"),
    {
      ...pods,
      image: image.proxy,
      workload: topology.proxy,
      endpoint: settings.proxy,
      ...podsOf("proxy", settings),
    },
    { ...owned, dependsOn: redis.last },
  );
  return { naming, namespace: volumes.namespace, credentials, certificates, proxy };
}
