import { kubectl } from "./kubectl.ts";
import type { Policy } from "./network-reach.ts";

/** A pod that runs, by the name of its workload. */
export interface LivePod {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly address: string;
  readonly ports: readonly number[];
}

interface PodObject {
  readonly metadata: { readonly labels: Record<string, string> };
  readonly spec: { readonly containers: { readonly ports?: { readonly containerPort: number }[] }[] };
  readonly status: { readonly podIP: string };
}

/** The policies of a namespace and the pods of its workloads, one of each, as the API server has them. */
export async function readNetwork(namespace: string): Promise<{
  policies: Policy[];
  pods: LivePod[];
  pod(name: string): LivePod;
}> {
  const items = async <T>(kind: string): Promise<T[]> => {
    const output = await kubectl(["--namespace", namespace, "get", kind, "--output", "json"]);
    return (JSON.parse(output) as { items: T[] }).items;
  };
  const byName = new Map(
    (await items<PodObject>("pod")).flatMap(({ metadata: { labels }, spec, status }) => {
      const name = labels["redis-ha/workload"];
      if (name === undefined) return [];
      const ports = spec.containers.flatMap((container) =>
        (container.ports ?? []).map(({ containerPort }) => containerPort),
      );
      return [[name, { name, namespace, labels, address: status.podIP, ports }] as const];
    }),
  );
  return {
    policies: await items<Policy>("networkpolicy"),
    pods: [...byName.values()],
    pod(name) {
      const found = byName.get(name);
      if (found === undefined) throw new Error(`no pod of ${name} runs`);
      return found;
    },
  };
}
