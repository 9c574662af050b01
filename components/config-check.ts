import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Engine } from "../runtime/engine.ts";
import { bundledModules, moduleDirectories } from "../runtime/module-list.ts";
import type { Naming } from "./naming.ts";
import type { ImageReference, PodArgs } from "./pod.ts";
import { placement } from "./pod-extras.ts";
import { restrictedContainer, restrictedPod } from "./restricted.ts";
import { awaitedByProgram, type Rollouts } from "./rollout/rollouts.ts";
import { jobState } from "./rollout/state.ts";

/** Arguments of {@link ConfigCheck}. */
export interface ConfigCheckArgs
  extends Pick<PodArgs, "pullSecret" | "pullPolicy" | "priorityClass" | "annotations" | "extras"> {
  readonly naming: Naming;
  readonly namespace: pulumi.Input<string>;
  readonly image: ImageReference;
  /** Whose server reads the lines. */
  readonly engine: Engine;
  /** What `redis:modules` asks for. */
  readonly modules: readonly string[] | undefined;
  /** Lines of `redis:extraConfig`. */
  readonly extraConfig: string;
  /** Who waits for it; unset in previews. */
  readonly rollouts: Pick<Rollouts, "wait"> | undefined;
}

/**
 * Whether the server comes up says more than whether it reads its configuration: it takes a word that it doesn't know for a module's,
 * and ends later. Nothing is saved, and nobody can connect.
 */
const script = `
for file in $REDIS_MODULES; do
  [ -f "$file" ] || { echo "redis:modules names $file, which the image doesn't have"; exit 1; }
  printf 'loadmodule "%s"\\n' "$file"
done > /tmp/redis.conf
printf '%s\\n' "$REDIS_EXTRA_CONFIG" >> /tmp/redis.conf
"$REDIS_ENGINE-server" /tmp/redis.conf --port 0 --unixsocket /tmp/redis.sock --dir /tmp --save '' &
for _ in $(seq 150); do
  if [ "$("$REDIS_ENGINE-cli" -s /tmp/redis.sock ping 2> /tmp/error)" = PONG ]; then kill $!; exit 0; fi
  kill -0 $! 2> /tmp/error || { wait $!; exit 1; }
  sleep 0.2
done
echo "$REDIS_ENGINE-server doesn't answer within 30 s"
exit 1
`;

/**
 * Lets the image's own server read `redis:extraConfig`, and load `redis:modules`, before the first pod is touched. Only it knows its directives; its
 * successor in the same Deployment would find the mistake when the old pod is gone.
 */
export class ConfigCheck extends pulumi.ComponentResource {
  /** Known when the lines are good. */
  readonly passed: Promise<pulumi.Resource[]>;

  constructor(name: string, args: ConfigCheckArgs, opts?: pulumi.ComponentResourceOptions) {
    super("redis-ha:index:ConfigCheck", name, {}, opts);
    const { namespace, naming, image } = args;
    const jobName = naming.object("redis-config-check");
    const labels = {
      ...naming.common(),
      "app.kubernetes.io/component": "config-check",
      "redis-ha/workload": jobName,
    };
    // A module brings code and tables of its own.
    const memory = args.modules === undefined ? "64Mi" : "256Mi";
    const job = new k8s.batch.v1.Job(
      naming.resource("config-check"),
      {
        metadata: { name: jobName, namespace, labels, annotations: awaitedByProgram },
        spec: {
          backoffLimit: 0,
          template: {
            metadata: { labels: { ...args.extras.podLabels, ...labels }, ...annotationsOf(args) },
            spec: {
              ...restrictedPod,
              // It runs where Redis may run.
              ...placement(args.extras),
              ...(args.priorityClass === undefined ? {} : { priorityClassName: args.priorityClass }),
              restartPolicy: "Never",
              ...(args.pullSecret === undefined ? {} : { imagePullSecrets: [{ name: args.pullSecret }] }),
              containers: [
                {
                  name: "redis-server",
                  image: image.reference,
                  ...(args.pullPolicy === undefined ? {} : { imagePullPolicy: args.pullPolicy }),
                  command: ["sh", "-c", script],
                  env: [
                    { name: "REDIS_ENGINE", value: args.engine },
                    { name: "REDIS_MODULES", value: modulesInImage(args) },
                    { name: "REDIS_EXTRA_CONFIG", value: args.extraConfig },
                  ],
                  resources: { requests: { cpu: "10m", memory }, limits: { memory } },
                  securityContext: restrictedContainer,
                  volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
                },
              ],
              volumes: [{ name: "tmp", emptyDir: { medium: "Memory", sizeLimit: "16Mi" } }],
            },
          },
        },
      },
      { parent: this },
    );
    this.passed = isGood(job, args).then(() => [job]);
    this.registerOutputs({});
  }
}

function annotationsOf({ annotations: common, extras }: ConfigCheckArgs): {
  annotations?: Readonly<Record<string, string>>;
} {
  const annotations = { ...common, ...extras.podAnnotations };
  return Object.keys(annotations).length === 0 ? {} : { annotations };
}

/** The modules that the image has to have, as the shell's patterns. Those on mounted volumes only the pods of Redis see. */
function modulesInImage({ modules = [], engine, extras }: ConfigCheckArgs): string {
  const mounts = (extras.extraMounts ?? []).map(({ mountPath }) => `${mountPath.replace(/\/$/, "")}/`);
  return modules
    .filter((file) => !mounts.some((mount) => file.startsWith(mount)))
    .map((item) => (item === bundledModules ? `${moduleDirectories[engine]}/*.so` : item))
    .join(" ");
}

async function isGood(job: k8s.batch.v1.Job, { rollouts, engine }: ConfigCheckArgs): Promise<void> {
  if (rollouts === undefined) return;
  const { uid, namespace, name } = await new Promise<k8s.types.output.meta.v1.ObjectMeta>((resolve) => {
    job.metadata.apply(resolve);
  });
  // Not in a cluster: left out by --target.
  if (uid === undefined) return;
  const labels = { "job-name": name };
  await rollouts.wait(
    {
      namespace,
      labels,
      complaint: `${engine}-server doesn't accept 'redis:extraConfig' or 'redis:modules'`,
      look: async ({ api }) => {
        const [found, pods] = await Promise.all([api.job(namespace, name), api.pods(namespace, labels)]);
        return found === undefined ? { kind: "done" } : jobState(found, pods);
      },
      advice:
        "No pod was touched. Correct them (pulumi config set redis:extraConfig …), then run 'pulumi up' again.",
    },
    "checking redis:extraConfig",
    job,
  );
}
