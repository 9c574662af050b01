import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/resolve-settings.ts";
import type { SecretSource } from "./credentials.ts";
import type { Naming } from "./naming.ts";
import { mergedAffinity, type PodExtras, placement, resourcesOf, withExtraContainers } from "./pod-extras.ts";
import { probesOf } from "./probes.ts";
import { restrictedContainer, restrictedPod } from "./restricted.ts";
import { backupMount } from "./topology/backup.ts";
import { type CertificateKind, podPaths } from "./topology/site.ts";
import type { SecretFile, Workload } from "./topology/workload.ts";

/** An image that pods can run. */
export interface ImageReference {
  /** What a pod's `image` says: a digest for a pushed image. */
  readonly reference: pulumi.Input<string>;
  /**
   * Changes whenever the image does. Only an image that isn't pushed needs it, as a pod annotation: its reference stays
   * the same after a new build.
   */
  readonly revision?: pulumi.Input<string> | undefined;
}

/** What a pod needs beside its workload's description. */
export interface PodArgs {
  readonly naming: Naming;
  readonly image: ImageReference;
  /** Where the secret files of all workloads are. */
  readonly secretFiles: ReadonlyMap<SecretFile, SecretSource>;
  /** Name of the Secret of each kind of certificate. */
  readonly certificates: ReadonlyMap<CertificateKind, pulumi.Input<string>>;
  readonly hostAliases: pulumi.Input<k8s.types.input.core.v1.HostAlias[]>;
  /** Claim of the workload's volume; needed exactly when the workload has one. */
  readonly claim?: pulumi.Input<string> | undefined;
  /** Secret with the credentials of a private registry. */
  readonly pullSecret?: string | undefined;
  readonly pullPolicy?: string | undefined;
  readonly priorityClass?: string | undefined;
  /** Seconds until a pod is given up whose node is lost. */
  readonly tolerationSeconds: number;
  readonly spread: Settings["deployment"]["spread"];
  /** Annotations of all objects. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** What the settings of the pods' part add. */
  readonly extras: PodExtras;
}

/**
 * Every name that a pod may use stands in its hosts file. Redis and Sentinel look names up in their main thread, also those that
 * others tell them: with a name server that doesn't answer, a Sentinel that hears of a host that was removed stands still for
 * 20 s at a time. Nothing listens on this one, so that a lookup fails at once.
 */
const noNameServer: Pick<k8s.types.input.core.v1.PodSpec, "dnsPolicy" | "dnsConfig"> = {
  dnsPolicy: "None",
  dnsConfig: {
    nameservers: ["127.0.0.1"],
    options: [
      { name: "attempts", value: "1" },
      { name: "timeout", value: "1" },
    ],
  },
};

/**
 * The pod template of a workload. It satisfies the restricted Pod Security Standard with a read-only root file system and
 * without a service-account token.
 */
export function podTemplate(workload: Workload, args: PodArgs): k8s.types.input.core.v1.PodTemplateSpec {
  const { tolerations = [], ...placed } = placement(args.extras);
  return {
    metadata: {
      labels: { ...args.extras.podLabels, ...args.naming.labelsOf(workload) },
      ...annotationsOf(workload, args),
    },
    spec: {
      ...restrictedPod,
      hostAliases: args.hostAliases,
      ...noNameServer,
      terminationGracePeriodSeconds: workload.graceSeconds,
      ...(args.pullSecret === undefined ? {} : { imagePullSecrets: [{ name: args.pullSecret }] }),
      ...(args.priorityClass === undefined ? {} : { priorityClassName: args.priorityClass }),
      ...placed,
      tolerations: [
        ...["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].map((key) => ({
          key,
          operator: "Exists",
          effect: "NoExecute",
          tolerationSeconds: args.tolerationSeconds,
        })),
        ...tolerations,
      ],
      affinity: mergedAffinity({ podAntiAffinity: awayFromItsKind(workload, args) }, args.extras.affinity),
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "topology.kubernetes.io/zone",
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: args.naming.kind(workload.part.kind) },
        },
      ],
      ...withExtraContainers(containerOf(workload, args), args.extras),
      volumes: [
        // A file for each secret that this workload needs, and no other. The kubelet brings changes into running pods.
        { name: "credentials", projected: { defaultMode: 0o440, sources: secretSources(workload, args) } },
        ...certificateVolume(workload, args),
        { name: "tmp", emptyDir: { medium: "Memory", sizeLimit: "16Mi" } },
        ...(args.claim === undefined
          ? []
          : [{ name: "state", persistentVolumeClaim: { claimName: args.claim } }]),
        ...(workload.scratch === undefined
          ? []
          : [{ name: "state", emptyDir: { sizeLimit: workload.scratch.limit } }]),
        ...(workload.backupClaim === undefined
          ? []
          : [{ name: "backups", persistentVolumeClaim: { claimName: workload.backupClaim } }]),
        ...((args.extras.extraVolumes ??
          []) as readonly object[] as readonly k8s.types.input.core.v1.Volume[]),
      ],
    },
  };
}

function containerOf(workload: Workload, args: PodArgs): k8s.types.input.core.v1.Container {
  return {
    name: workload.part.kind,
    image: args.image.reference,
    ...(args.pullPolicy === undefined ? {} : { imagePullPolicy: args.pullPolicy }),
    command: commandOf(workload),
    env: Object.entries(workload.environment).map(([name, value]) => ({ name, value })),
    ports: workload.ports.map(({ name, port }) => ({ name, containerPort: port })),
    ...probesOf(workload),
    resources: resourcesOf(workload.memory, args.extras),
    securityContext: restrictedContainer,
    volumeMounts: [
      { name: "credentials", mountPath: podPaths.secretDirectory, readOnly: true },
      ...(workload.certificate === undefined
        ? []
        : [{ name: "tls", mountPath: podPaths.certificateDirectory(workload.certificate), readOnly: true }]),
      { name: "tmp", mountPath: "/tmp" },
      ...[workload.volume ?? workload.scratch].flatMap((place) =>
        place === undefined ? [] : [{ name: "state", mountPath: place.path }],
      ),
      ...(workload.backupClaim === undefined ? [] : [{ name: "backups", mountPath: backupMount }]),
    ],
  };
}

/** The bounds of the heap save tens of MiB: with thousands of idle clients in a proxy, and of 45 MiB of a supervisor. */
function commandOf({ program: { image, entrypoint } }: Workload): string[] {
  if (image === "proxy") return ["node", "--max-semi-space-size=4", "/opt/redis-ha/main.js"];
  const bounds = entrypoint === "redis" ? ["--max-semi-space-size=1", "--max-old-space-size=64"] : [];
  return ["node", ...bounds, `/opt/redis-ha/${entrypoint}.js`];
}

/**
 * Two of a kind on one node are lost together. Proxies are never forced apart: a roll adds one before it takes one away, so it
 * would need one node more than there are proxies.
 */
function awayFromItsKind(
  { part: { kind } }: Workload,
  { naming, spread }: PodArgs,
): k8s.types.input.core.v1.PodAntiAffinity {
  const podAffinityTerm = {
    topologyKey: "kubernetes.io/hostname",
    labelSelector: { matchLabels: naming.kind(kind) },
  };
  return spread === "required" && kind !== "proxy"
    ? { requiredDuringSchedulingIgnoredDuringExecution: [podAffinityTerm] }
    : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] };
}

function secretSources(
  { secrets }: Workload,
  { secretFiles }: PodArgs,
): k8s.types.input.core.v1.VolumeProjection[] {
  return secrets.map((file) => {
    const source = secretFiles.get(file);
    if (source === undefined) throw new Error(`there is no Secret for '${file}'`);
    const optional = source.optional === true ? { optional: true } : {};
    return { secret: { name: source.secretName, items: [{ key: source.key, path: file }], ...optional } };
  });
}

/** Those of redis-ha start a pod again when they change. */
function annotationsOf(
  { secretRevision }: Workload,
  { image, annotations: common, extras }: PodArgs,
): Pick<k8s.types.input.meta.v1.ObjectMeta, "annotations"> {
  const annotations = {
    ...common,
    ...extras.podAnnotations,
    ...(image.revision === undefined ? {} : { "redis-ha/image-revision": image.revision }),
    ...(secretRevision === undefined ? {} : { "redis-ha/secret-revision": secretRevision }),
  };
  return Object.keys(annotations).length === 0 ? {} : { annotations };
}

function certificateVolume(
  { certificate }: Workload,
  { certificates }: PodArgs,
): k8s.types.input.core.v1.Volume[] {
  if (certificate === undefined) return [];
  const secretName = certificates.get(certificate);
  if (secretName === undefined) throw new Error(`there is no Secret with the certificate '${certificate}'`);
  return [{ name: "tls", secret: { secretName, defaultMode: 0o440 } }];
}
