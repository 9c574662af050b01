import type { ParsedSettings } from "./definitions.ts";

/** Settings of the endpoint's Service that would have no effect, or that the API server would refuse. As sentences. */
export function problemsOfEndpoint({ proxy, network }: ParsedSettings): string[] {
  const problems: string[] = [];
  const { serviceType } = proxy;
  const needs = (keys: readonly (keyof typeof proxy)[], types: readonly string[]): void => {
    for (const key of keys) {
      if (proxy[key] === undefined || types.includes(serviceType ?? "")) continue;
      problems.push(
        `Configuration 'proxy:${key}' has no effect with 'proxy:serviceType' ${serviceType}: use ${types.join(" or ")}, or remove it (pulumi config rm proxy:${key}).`,
      );
    }
  };
  needs(["externalTrafficPolicy", "nodePort", "sentinelNodePort"], ["NodePort", "LoadBalancer"]);
  needs(["loadBalancerClass", "loadBalancerSourceRanges"], ["LoadBalancer"]);
  if (proxy.sentinelNodePort !== undefined && proxy.sentinelApi === false) {
    problems.push(
      "Configuration 'proxy:sentinelNodePort' is a port of the proxies' Sentinel API, but 'proxy:sentinelApi' is false: remove one of them (pulumi config rm proxy:sentinelNodePort).",
    );
  }
  if (proxy.nodePort !== undefined && proxy.nodePort === proxy.sentinelNodePort) {
    problems.push(
      `Configuration 'proxy:nodePort' and 'proxy:sentinelNodePort' are both ${proxy.nodePort}: use two ports.`,
    );
  }
  const families = proxy.ipFamilies ?? [];
  if (new Set(families).size < families.length) {
    problems.push(
      `Configuration 'proxy:ipFamilies' has a family twice: use each once (pulumi config set proxy:ipFamilies ${[...new Set(families)].join(",")}).`,
    );
  } else if (families.length > 1 && (proxy.ipFamilyPolicy ?? "SingleStack") === "SingleStack") {
    problems.push(
      "Configuration 'proxy:ipFamilies' has two families, but a Service of SingleStack has one: set proxy:ipFamilyPolicy to PreferDualStack (pulumi config set proxy:ipFamilyPolicy PreferDualStack).",
    );
  }
  for (const key of ["extraIngress", "extraEgress"] as const) {
    if (network[key] === undefined || network.policies !== false) continue;
    problems.push(
      `Configuration 'network:${key}' allows connections, but 'network:policies' is false and allows all: remove one of the two (pulumi config rm network:${key}).`,
    );
  }
  return problems;
}
