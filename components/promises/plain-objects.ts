import type * as pulumi from "@pulumi/pulumi";
import type { StackResource } from "../../policy/rule.ts";
import type { Settings } from "../../settings/resolve-settings.ts";
import { type DeploymentArgs, deploymentOf, podsOf } from "../deployment.ts";
import { endpointService } from "../endpoint-service.ts";
import { Naming } from "../naming.ts";
import { claimName } from "../ownership/fixed-names.ts";
import { clusterSite } from "../topology/site.ts";
import { describeTopology } from "../topology/topology.ts";
import type { Workload } from "../topology/workload.ts";

/** What the settings make of one part, before anything is known that only a cluster can tell. */
export interface PlainObjects {
  readonly deployments: readonly StackResource[];
  /** Of the endpoint; other parts' Services can't be changed. */
  readonly service: StackResource;
}

/** The Deployments and the endpoint's Service that settings make, with stand-ins for what is known later. Pure. */
export function plainObjects(settings: Settings): PlainObjects {
  const { deployment } = settings;
  const naming = new Naming({
    stack: settings.stack,
    component: "redis-ha",
    prefix: deployment.namePrefix ?? "",
    labels: deployment.labels,
  });
  const topology = describeTopology(
    settings,
    clusterSite(deployment.namespace, naming, settings.network.ipFamily),
  );
  const later = (text: string): pulumi.Output<string> => text as unknown as pulumi.Output<string>;
  const argsOf = (workload: Workload): DeploymentArgs => ({
    naming,
    namespace: deployment.namespace,
    image: { reference: `redis-ha@sha256:${"0".repeat(64)}` },
    secretFiles: new Map(
      workload.secrets.map((file) => [file, { secretName: later("known-later"), key: "key" }]),
    ),
    certificates: new Map([
      ["server", "known-later"],
      ["proxy", "known-later"],
    ]),
    hostAliases: [],
    claim: workload.volume === undefined ? undefined : claimName(naming, workload),
    spread: deployment.spread,
    annotations: deployment.annotations,
    ...podsOf(workload.part.kind, settings),
  });
  const object = (type: string, name: string, props: object): StackResource => ({
    type: `kubernetes:${type}`,
    name,
    props: props as StackResource["props"],
  });
  return {
    deployments: [...topology.redis, ...topology.sentinels, topology.proxy].map((workload) =>
      object("apps/v1:Deployment", workload.name, deploymentOf(workload, argsOf(workload))),
    ),
    service: object(
      "core/v1:Service",
      "proxy",
      endpointService(topology.proxy, { ...argsOf(topology.proxy), endpoint: settings.proxy }),
    ),
  };
}
