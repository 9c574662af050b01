import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Pod } from "@kubernetes/client-node";
import { execa } from "execa";
import { type ClusterApi, connectApi } from "../../components/rollout/cluster-api.ts";
import { rolloutOf, untilDone } from "../../components/rollout/watch.ts";
import { KubeClient, type KubeObject } from "../../workshop/cluster/providers/kubernetes/kube-client.ts";
import { settle } from "../../workshop/cluster/providers/kubernetes/settle.ts";
import { kubectl } from "../support/kubectl.ts";

const namespace = "redis-ha-rollout-wait";
const labels = { app: "thing" };
const apply = { fieldManager: "test", force: true } as const;

/** One Deployment with strategy `Recreate`, as the genuine provider sees it, and as the program does. */
describe("waiting for a Deployment in a cluster", function () {
  this.timeout(200_000);
  const context = process.env.TEST_CONTEXT;
  const image = `${process.env.TEST_REGISTRY}/rollout-wait:1`;
  const client = new KubeClient({ kubeconfig: undefined, context });
  let api: ClusterApi;

  before(async () => {
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s"]);
    await kubectl(["create", "namespace", namespace]);
    await execa("docker", ["build", "--quiet", "--tag", image, "-"], { input: "FROM redis:8.2.9-trixie\n" });
    await execa("docker", ["push", "--quiet", image]);
    api = await connectApi(context);
  });

  after(() => kubectl(["delete", "namespace", namespace, "--wait=false"]));

  function change(word: string, command: readonly string[] = ["sleep", "600"]): Promise<KubeObject> {
    const container = {
      ...{ name: "main", image, command: [...command] },
      readinessProbe: {
        exec: { command: ["true"] },
        initialDelaySeconds: 2,
        periodSeconds: 1,
        timeoutSeconds: 20,
      },
    };
    const template = {
      metadata: { labels, annotations: { word } },
      spec: { terminationGracePeriodSeconds: 1, containers: [container] },
    };
    const spec = { replicas: 1, strategy: { type: "Recreate" }, selector: { matchLabels: labels }, template };
    const metadata = { name: "thing", namespace };
    return client.apply({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec }, apply);
  }

  const provider = (applied: KubeObject): Promise<unknown> =>
    settle(applied, {
      ...{ client, timeoutSeconds: 0, cancelled: new AbortController().signal },
      toState: (object) => object,
    });

  const program = ({ metadata }: KubeObject): Promise<void> => {
    const applied = { uid: String(metadata.uid), generation: Number(metadata.generation) };
    return untilDone(rolloutOf({ namespace, name: "thing", labels, replicas: 1, applied }), {
      ...{ api, earlierRestarts: new Map(), timeoutMs: 120_000, onProgress: () => undefined },
      ...{ now: () => performance.now(), sleep: (ms) => sleep(ms) },
    });
  };

  /** The pods of the newest words that are ready and not about to end. */
  async function readyPods(): Promise<(string | undefined)[]> {
    const isReady = ({ metadata, status }: V1Pod): boolean =>
      metadata?.deletionTimestamp === undefined &&
      status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;
    const pods = await api.pods(namespace, labels);
    return pods.filter(isReady).map(({ metadata }) => metadata?.annotations?.word);
  }

  it("the provider's rule waits for a first pod, and not for its successor; the program's does", async () => {
    await provider(await change("first"));
    assert.deepEqual(await readyPods(), ["first"]);
    const update = await change("second");
    await provider(update);
    assert.notDeepEqual(await readyPods(), ["second"], "the stand-in waits better than the genuine provider");
    await program(update);
    assert.deepEqual(await readyPods(), ["second"]);
  });

  it("the program stops at a pod that can't run, with its last words, and takes the next change", async () => {
    const broken = await change("third", ["sh", "-c", "echo a wrong word; exit 1"]);
    await assert.rejects(
      program(broken),
      /keeps ending with exit code 1[\s\S]*a wrong word[\s\S]*run 'pulumi up' again/,
    );
    await program(await change("fourth"));
    assert.deepEqual(await readyPods(), ["fourth"]);
  });
});
