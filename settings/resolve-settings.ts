import { majorityOf } from "../quorum/agreement.ts";
import { mostDedicated, mostDedicatedIn } from "../runtime/connection-limits.ts";
import { parseQuantity } from "../runtime/quantity.ts";
import type { ParsedSettings } from "./definitions.ts";
import type { endpointSettings } from "./endpoint-settings.ts";
import { parseSettings, type RawConfig } from "./parse-settings.ts";
import type { podSettings } from "./pod-settings.ts";
import { problemsOfBackup } from "./problems-of-backup.ts";
import { problemsOfEndpoint } from "./problems-of-endpoint.ts";
import { problemsOfLayers } from "./problems-of-layers.ts";
import { problemsOfMove } from "./problems-of-move.ts";
import { problemsOfPods } from "./problems-of-pods.ts";
import { problemsOfRedis } from "./problems-of-redis.ts";
import { problemsOfUsers } from "./problems-of-users.ts";
import { SettingsError } from "./settings-error.ts";
import { defaultName } from "./stack-name.ts";

/** Memory that one process of a proxy may need: its own, and what it holds for clients. */
const workerBytes = 256 * 2 ** 20;

type Parsed<N extends keyof ParsedSettings> = ParsedSettings[N];
type Defined<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]-?: Exclude<T[P], undefined> };

/** What of a part's pods is set only by who wants it. */
type OptionalOfPods = Exclude<keyof ReturnType<typeof podSettings>, "cpu">;

/** All settings of one stack, checked and complete. What may stay unset is `undefined`. */
export interface Settings {
  readonly stack: string;
  readonly redis: Readonly<
    Defined<Parsed<"redis">, Exclude<keyof Parsed<"redis">, "storageClass" | "modules" | OptionalOfPods>>
  >;
  readonly sentinel: Readonly<Defined<Parsed<"sentinel">, Exclude<keyof Parsed<"sentinel">, OptionalOfPods>>>;
  readonly proxy: Readonly<
    Defined<
      Parsed<"proxy">,
      Exclude<keyof Parsed<"proxy">, "cpuLimit" | OptionalOfPods | keyof ReturnType<typeof endpointSettings>>
    >
  >;
  readonly tls: Readonly<Defined<Parsed<"tls">, "mode" | "generation" | "hostnames">>;
  readonly network: Readonly<Defined<Parsed<"network">, "policies" | "ipFamily">>;
  readonly monitoring: Readonly<Defined<Parsed<"monitoring">, "podMonitor" | "rules" | "labels">>;
  readonly backup: Readonly<Defined<Parsed<"backup">, "schedule" | "keep" | "keepDays" | "bandwidth">>;
  readonly move: Readonly<Parsed<"move">>;
  readonly images: Readonly<Defined<Parsed<"images">, "engine" | "platform" | "push">>;
  readonly deployment: Readonly<
    Defined<
      Parsed<"redis-ha">,
      Exclude<keyof Parsed<"redis-ha">, "context" | "priorityClass" | "namePrefix" | "labels" | "annotations">
    >
  >;
}

/** Options of {@link resolveSettings}. */
export interface ResolveOptions {
  readonly builds?: boolean;
  readonly objects?: (settings: Settings) => readonly string[];
}

/**
 * The settings of a stack from its raw configuration.
 *
 * @param secretKeys the keys whose values were set as secrets: those are refused.
 * @param options.builds whether images that aren't named are built: then there has to be a registry for them.
 * @param options.objects what is wrong with the objects that the settings make, as sentences.
 * @throws {SettingsError} that lists every mistake: wrong values, unknown keys, values that don't fit together.
 */
export function resolveSettings(
  raw: RawConfig,
  stack: string,
  secretKeys: ReadonlySet<string> = new Set(),
  { builds = true, objects = () => [] }: ResolveOptions = {},
): Settings {
  const problems: string[] = [];
  const parsed = parseSettings(raw, problems, secretKeys);
  const { redis, sentinel, proxy, tls, network, monitoring, backup, images, "redis-ha": deployment } = parsed;

  const count = sentinel.count ?? 3;
  const instances = redis.instances ?? 3;
  const majority = majorityOf(count);
  const quorum = sentinel.quorum ?? majority;
  if (quorum > count || quorum < majority) {
    const allowed = majority === count ? `${count}` : `${majority} to ${count}`;
    problems.push(
      `Configuration 'sentinel:quorum' is ${quorum} but there are ${count} Sentinels: use ${count - majority === 1 ? `${majority} or ${count}` : allowed} (pulumi config set sentinel:quorum ${majority}).`,
    );
  }
  // A Sentinel takes no 0.
  const mostSyncs = Math.max(1, instances - 1);
  const parallelSyncs = sentinel.parallelSyncs ?? mostSyncs;
  if (parallelSyncs > mostSyncs) {
    problems.push(
      `Configuration 'sentinel:parallelSyncs' is ${parallelSyncs} but ${instances} Redis instances have ${instances - 1} replicas: use 1${mostSyncs > 1 ? ` to ${mostSyncs}` : ""}, or unset it (pulumi config rm sentinel:parallelSyncs).`,
    );
  }
  problems.push(
    ...problemsOfRedis(parsed),
    ...problemsOfLayers(parsed),
    ...problemsOfPods(parsed),
    ...problemsOfEndpoint(parsed),
  );
  problems.push(...problemsOfBackup(backup), ...problemsOfMove(parsed));
  const workers = proxy.workers ?? 1;
  const needed = workerBytes * workers;
  const memory = parseQuantity(proxy.memory ?? "");
  if (workers > 1 && memory !== undefined && memory < needed) {
    const enough = `${needed / 2 ** 20}Mi`;
    problems.push(
      `Configuration 'proxy:memory' is ${proxy.memory} but ${workers} workers need 256Mi each: use at least ${enough} (pulumi config set proxy:memory ${enough}).`,
    );
  }
  const dedicated = mostDedicated(proxy.replicas ?? 2);
  if (proxy.maxDedicated !== undefined && proxy.maxDedicated > dedicated) {
    problems.push(
      `Configuration 'proxy:maxDedicated' is ${proxy.maxDedicated} but with ${proxy.replicas} proxies Redis has connections for ${dedicated} of each: use 10 to ${dedicated}, or unset it (pulumi config rm proxy:maxDedicated).`,
    );
  }
  const redisBytes = parseQuantity(redis.memory ?? "");
  const fitting =
    redisBytes === undefined
      ? dedicated
      : Math.min(dedicated, mostDedicatedIn(redisBytes, proxy.replicas ?? 2));
  if (proxy.maxDedicated !== undefined && proxy.maxDedicated > fitting && proxy.maxDedicated <= dedicated) {
    problems.push(
      `Configuration 'proxy:maxDedicated' is ${proxy.maxDedicated} but with ${proxy.replicas} proxies a Redis of ${redis.memory} has memory for ${fitting} of each, 32Ki a connection: use 10 to ${fitting}, unset it (pulumi config rm proxy:maxDedicated), or give Redis more memory (pulumi config set redis:memory ${Math.ceil((proxy.maxDedicated * (proxy.replicas ?? 2)) / 32)}Mi).`,
    );
  }
  if (tls.secret !== undefined && tls.issuer !== undefined) {
    problems.push(
      "Configuration 'tls:secret' and 'tls:issuer' both say where certificates come from: remove one of them (pulumi config rm tls:issuer).",
    );
  }
  const limited = (["clientNamespaces", "clientSelector"] as const).filter(
    (key) => network[key] !== undefined,
  );
  const [limit] = limited;
  if (
    limit !== undefined &&
    network.policies &&
    proxy.serviceType !== "ClusterIP" &&
    network.clientCidrs === undefined
  ) {
    problems.push(
      `Configuration 'network:${limit}' limits who may connect, but with 'proxy:serviceType' ${proxy.serviceType} every address may: set network:clientCidrs to the addresses of the clients outside (pulumi config set network:clientCidrs 10.0.0.0/8).`,
    );
  }
  if (!network.policies) {
    for (const key of [...limited, ...(network.clientCidrs === undefined ? [] : ["clientCidrs"])]) {
      problems.push(
        `Configuration 'network:${key}' limits who may connect, but 'network:policies' is false: remove one of the two (pulumi config rm network:${key}).`,
      );
    }
  }
  const users = redis.users ?? [{ name: "default" }];
  problems.push(...problemsOfUsers(users, new Set(proxy.allowCommands)));
  const missing = images.sentinel === undefined || images.proxy === undefined;
  if (builds && missing && images.push !== false && !raw["images:registry"]) {
    problems.push(
      "Configuration 'images:registry' is missing, but the images are built and pushed: set it to a registry that the cluster pulls from (pulumi config set images:registry registry.example.com/redis-ha), or name prebuilt images with images:sentinel and images:proxy.",
    );
  }
  const name = defaultName(stack);
  const downAfterMs = sentinel.downAfterMs ?? 1000;
  // parseSettings filled in every fixed default: what is undefined now has none.
  const settings: Settings = {
    stack,
    redis: { ...redis, users, extraConfig: redis.extraConfig ?? "" } as Settings["redis"],
    sentinel: {
      ...sentinel,
      quorum,
      parallelSyncs,
      masterName: sentinel.masterName ?? name,
    } as Settings["sentinel"],
    proxy: {
      ...proxy,
      maxDedicated: proxy.maxDedicated ?? Math.min(4000, fitting),
      holdTimeoutMs: proxy.holdTimeoutMs ?? Math.min(60_000, Math.max(10_000, downAfterMs + 10_000)),
    } as Settings["proxy"],
    tls: { ...tls, hostnames: tls.hostnames ?? [] } as Settings["tls"],
    network: network as Settings["network"],
    monitoring: { ...monitoring, labels: monitoring.labels ?? [] } as Settings["monitoring"],
    backup: backup as Settings["backup"],
    move: parsed.move,
    images: images as Settings["images"],
    deployment: { ...deployment, namespace: deployment.namespace ?? name } as Settings["deployment"],
  };
  problems.push(...objects(settings));
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}
