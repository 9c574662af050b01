// STAND-IN for a network plugin that knows NetworkPolicies: watches them and the pods of the embedded cluster, and keeps a
// table of the machine's packet filter up to date. All pods are on one bridge of this machine, so one table is enough.
import {
  CoreV1Api,
  KubeConfig,
  type KubernetesObject,
  makeInformer,
  NetworkingV1Api,
  type V1Namespace,
  type V1NetworkPolicy,
  type V1Pod,
} from "@kubernetes/client-node";
import { execaSync } from "execa";
import { type NetworkState, renderPolicyRuleset } from "./policy-ruleset.ts";

const config = new KubeConfig();
config.loadFromFile(process.argv[2] ?? "");
const core = config.makeApiClient(CoreV1Api);
const networking = config.makeApiClient(NetworkingV1Api);

const policies = follow<V1NetworkPolicy>("/apis/networking.k8s.io/v1/networkpolicies", () =>
  networking.listNetworkPolicyForAllNamespaces(),
);
const pods = follow<V1Pod>("/api/v1/pods", () => core.listPodForAllNamespaces());
const namespaces = follow<V1Namespace>("/api/v1/namespaces", () => core.listNamespace());

let applied = "";
let pending: NodeJS.Timeout | undefined;

/** Follows all objects of a kind; what has changed is applied a moment later, together with what else has changed then. */
function follow<T extends KubernetesObject>(path: string, list: () => Promise<{ items: T[] }>): () => T[] {
  const objects = new Map<string, T>();
  const name = ({ metadata }: KubernetesObject): string => `${metadata?.namespace}/${metadata?.name}`;
  const informer = makeInformer(config, path, list);
  const changed = (): void => {
    if (pending === undefined) pending = setTimeout(apply, 20);
  };
  for (const event of ["add", "update"] as const) {
    informer.on(event, (object) => {
      objects.set(name(object), object);
      changed();
    });
  }
  informer.on("delete", (object) => {
    objects.delete(name(object));
    changed();
  });
  const start = (): void => {
    informer.start().catch(again);
  };
  const again = (): void => {
    setTimeout(start, 1000);
  };
  informer.on("error", again);
  start();
  return () => [...objects.values()];
}

function apply(): void {
  pending = undefined;
  try {
    const ruleset = renderPolicyRuleset(state());
    if (ruleset === applied) return;
    execaSync("nft", ["-f", "-"], { input: ruleset });
    applied = ruleset;
  } catch (error) {
    // The last good table stays in force; the next change tries again.
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  }
}

function state(): NetworkState {
  return {
    policies: policies().map(({ metadata, spec }) => ({
      namespace: metadata?.namespace ?? "",
      podSelector: spec?.podSelector ?? {},
      policyTypes: spec?.policyTypes ?? [],
      // A list gives the library's own objects, with `_from`; a watch what the API server sent.
      ingress: (spec?.ingress ?? []).map(({ _from, ...rule }) =>
        _from === undefined ? rule : { ...rule, from: _from },
      ),
      egress: spec?.egress ?? [],
    })) as NetworkState["policies"],
    pods: pods().flatMap(({ metadata, spec, status }) =>
      status?.podIP === undefined ||
      spec?.hostNetwork === true ||
      ["Succeeded", "Failed"].includes(status.phase ?? "")
        ? []
        : [{ namespace: metadata?.namespace ?? "", labels: metadata?.labels ?? {}, address: status.podIP }],
    ),
    namespaces: new Map(namespaces().map(({ metadata }) => [metadata?.name ?? "", metadata?.labels ?? {}])),
  };
}
