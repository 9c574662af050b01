import { isDeepStrictEqual } from "node:util";
import { isKind, podTemplateOf } from "../../policy/kubernetes-objects.ts";
import type { StackResource } from "../../policy/rule.ts";

type Path = readonly string[];

const identity = "redis-ha knows its own objects by it";
const setting = (key: string): string => `there is a setting for it, ${key}`;
const names =
  "every name stands in the pod's hosts file, and no lookup may leave a pod: a slow one stops Redis";

/** What nothing may change, with the reason. */
const settled: Readonly<
  Record<"Deployment" | "Service", readonly (readonly [path: string, reason: string])[]>
> = {
  Deployment: [
    ["metadata.name", identity],
    ["metadata.namespace", identity],
    ["spec.selector", "a Deployment's selector can't change"],
    ["spec.replicas", "one pod writes to a volume, and how many proxies there are says proxy:replicas"],
    ["spec.paused", "a rollout would wait for ever"],
    ["spec.template.spec.hostAliases", names],
    ["spec.template.spec.dnsPolicy", names],
    ["spec.template.spec.dnsConfig", names],
    ["spec.template.spec.restartPolicy", "a Deployment's pods always start again"],
    ["spec.template.spec.activeDeadlineSeconds", "it would end the pod"],
    [
      "spec.template.spec.shareProcessNamespace",
      "the other containers could signal redis-server and read its files",
    ],
  ],
  Service: [
    ["metadata.name", identity],
    ["metadata.namespace", identity],
    ["spec.selector", "clients would be led elsewhere"],
    ["spec.type", setting("proxy:serviceType")],
    ["spec.clusterIP", "clients keep the address of the endpoint"],
    ["spec.publishNotReadyAddresses", "clients would be led to a proxy that isn't ready"],
  ],
};

/** What of the part's own container nothing may change. */
const settledOfContainer: readonly (readonly [field: string, reason: string])[] = [
  ["image", setting("images:sentinel or images:proxy")],
  ["command", "it starts redis-ha's own program"],
  ["args", "it starts redis-ha's own program"],
  ["workingDir", "it starts redis-ha's own program"],
];

/** Each settled path that differs from the object without the change. Pure. */
export function changedPaths(resource: StackResource, bare: StackResource): string[] {
  const kind = isKind(resource, "Service") ? "Service" : "Deployment";
  const changed = settled[kind].flatMap(([path, reason]) =>
    isDeepStrictEqual(at(resource.props, path.split(".")), at(bare.props, path.split(".")))
      ? []
      : [`${path} is settled: ${reason}`],
  );
  return [
    ...changed,
    ...lostEntries(resource, bare, ["metadata", "labels"]),
    ...lostEntries(resource, bare, ["metadata", "annotations"]),
    ...(kind === "Service" ? lostItems("port", "name", ...both(resource, bare, ["spec", "ports"])) : []),
    ...(kind === "Deployment" ? changesOfPod(resource, bare) : []),
  ];
}

function changesOfPod(resource: StackResource, bare: StackResource): string[] {
  const template: Path = ["spec", "template"];
  const grace: Path = [...template, "spec", "terminationGracePeriodSeconds"];
  const [seconds, least] = both(resource, bare, grace);
  const name = String(at(bare.props, ["metadata", "labels", "app.kubernetes.io/component"]));
  const own = ownContainer(resource, name);
  const was = ownContainer(bare, name);
  return [
    ...lostEntries(resource, bare, [...template, "metadata", "labels"]),
    ...lostEntries(resource, bare, [...template, "metadata", "annotations"]),
    ...(Number(seconds) >= Number(least)
      ? []
      : [`terminationGracePeriodSeconds must be ${least} or more: the end of a pod hands over first`]),
    ...lostItems("volume", "name", ...both(resource, bare, [...template, "spec", "volumes"])),
    ...(own === undefined
      ? [`the container '${name}' must stay: it is the part itself`]
      : [
          ...settledOfContainer.flatMap(([field, reason]) =>
            isDeepStrictEqual(own[field], was?.[field])
              ? []
              : [`${field} of container '${name}' is settled: ${reason}`],
          ),
          ...lostItems("environment variable", "name", own.env, was?.env),
          ...lostItems("mount", "mountPath", own.volumeMounts, was?.volumeMounts),
          ...lostItems("port", "name", own.ports, was?.ports),
        ]),
  ];
}

/** The container of redis-ha in a Deployment's pods. */
export function ownContainer(
  resource: StackResource,
  name: string,
): Readonly<Record<string, unknown>> | undefined {
  const containers = podTemplateOf(resource)?.spec?.containers ?? [];
  return containers.find((container) => container.name === name) as
    | Readonly<Record<string, unknown>>
    | undefined;
}

/** Labels or annotations that were there before and aren't as they were. */
function lostEntries(resource: StackResource, bare: StackResource, path: Path): string[] {
  const [now = {}, before = {}] = both(resource, bare, path) as Readonly<Record<string, unknown>>[];
  return Object.entries(before)
    .filter(([key, value]) => now[key] !== value)
    .map(([key]) => `${path.at(-1)?.slice(0, -1)} '${key}' is settled: ${identity}`);
}

/** Items of a list that were there before and aren't, exactly once, as they were. */
function lostItems(what: string, key: string, now: unknown, before: unknown): string[] {
  const list = (now ?? []) as readonly Readonly<Record<string, unknown>>[];
  return ((before ?? []) as typeof list)
    .filter((item) => {
      const same = list.filter((other) => other[key] === item[key]);
      return !(same.length === 1 && keeps(same[0] ?? {}, item));
    })
    .map((item) => `${what} '${String(item[key])}' is settled: it is redis-ha's own`);
}

/** Whether an item still says all that it said; it may say more. */
function keeps(now: Readonly<Record<string, unknown>>, before: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(before).every(([key, value]) => isDeepStrictEqual(now[key], value));
}

function both(resource: StackResource, bare: StackResource, path: Path): [unknown, unknown] {
  return [at(resource.props, path), at(bare.props, path)];
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>)[key] : undefined,
    value,
  );
}
