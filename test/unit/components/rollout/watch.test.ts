import assert from "node:assert/strict";
import type { V1Deployment, V1Pod } from "@kubernetes/client-node";
import type { ClusterApi } from "../../../../components/rollout/cluster-api.ts";
import { RolloutError, rolloutOf, type Target, untilDone } from "../../../../components/rollout/watch.ts";
import { deploymentOf, podOf, replicaSetOf } from "../../../support/cluster-objects.ts";

interface Scene {
  readonly deployment: V1Deployment | undefined | Error;
  readonly pods?: V1Pod[];
}

const done = deploymentOf("new", { replicas: 1, updatedReplicas: 1, availableReplicas: 1 });
const target: Target = { namespace: "space", name: "redis-instance-3", labels: {}, replicas: 1 };

/** A cluster that goes through scenes, one with each look; the last stays. */
async function watch(
  scenes: readonly Scene[],
  {
    applied,
    timeoutMs = 600_000,
    logs = {},
  }: Pick<Target, "applied"> & { timeoutMs?: number; logs?: Record<string, string> } = {},
): Promise<{ looks: number; elapsedMs: number; told: string[] }> {
  let looks = 0;
  let clock = 0;
  const told: string[] = [];
  const scene = (): Scene => scenes[Math.min(looks, scenes.length) - 1] as Scene;
  const api: ClusterApi = {
    deployment: async () => {
      looks++;
      const { deployment } = scene();
      if (deployment instanceof Error) throw deployment;
      return deployment;
    },
    deployments: async () => [],
    job: async () => undefined,
    replicaSets: async () => [replicaSetOf("new")],
    pods: async () => scene().pods ?? [],
    log: async (_namespace, pod, container, previous) => logs[`${pod}/${container}/${previous}`] ?? "",
    run: async () => "",
  };
  await untilDone(rolloutOf({ ...target, applied }), {
    ...{ api, timeoutMs, earlierRestarts: new Map() },
    onProgress: (reason) => told.push(reason),
    now: () => clock,
    sleep: async (ms) => {
      clock += ms;
    },
  });
  return { looks, elapsedMs: clock, told };
}

const crashing = podOf("new", {
  restartCount: 2,
  lastState: { terminated: { exitCode: 1 } },
  state: { waiting: { reason: "CrashLoopBackOff" } },
});
const unpulled = podOf("new", { state: { waiting: { reason: "ImagePullBackOff" } } });
const under = (pod?: V1Pod): Scene => ({
  deployment: deploymentOf("new", {}),
  pods: pod === undefined ? [] : [pod],
});

describe("waiting for a rollout", () => {
  it("ends with the first look when all is done", async () => {
    assert.deepEqual(await watch([{ deployment: done }]), { looks: 1, elapsedMs: 0, told: [] });
  });

  it("doesn't take an older state of the same object for the one that was applied", async () => {
    const applied = { uid: "deployment-uid", generation: 3 };
    const next = {
      ...done,
      metadata: { ...done.metadata, generation: 3 },
      status: { ...done.status, observedGeneration: 3 },
    };
    const { looks, told } = await watch([{ deployment: done }, { deployment: next }], { applied });
    assert.deepEqual([looks, told], [2, ["the cluster has not begun yet"]]);
  });

  it("counts generations anew for an object that was made anew", async () => {
    const { looks } = await watch([{ deployment: done }], {
      applied: { uid: "an earlier one", generation: 9 },
    });
    assert.equal(looks, 1);
  });

  it("bears an API server that doesn't answer for a while, and says so once", async () => {
    const silent = { deployment: new Error("socket hang up") };
    const { told } = await watch([silent, silent, silent, { deployment: done }]);
    assert.deepEqual(told, ["the API server doesn't say: socket hang up"]);
  });

  it("says from time to time what it waits for", async () => {
    const { told } = await watch([...Array.from({ length: 210 }, () => under()), { deployment: done }]);
    assert.deepEqual(
      told,
      Array.from({ length: 3 }, () => "0 of 1 pods are new, 0 are ready"),
    );
  });

  it("stops at once at a pod that keeps crashing, with the end of its log and what to do", async () => {
    const logs = { "redis-instance-3-new/redis/true": "*** FATAL CONFIG FILE ERROR ***\nBad directive\n" };
    await assert.rejects(watch([under(), under(crashing)], { logs }), (error: Error) => {
      assert.ok(error instanceof RolloutError);
      assert.equal(
        error.message,
        [
          "Deployment space/redis-instance-3 is not rolled out: pod redis-instance-3-new, container 'redis': keeps ending with exit code 1",
          "The end of its log:",
          "    *** FATAL CONFIG FILE ERROR ***",
          "    Bad directive",
          "All of it: kubectl -n space logs redis-instance-3-new -c redis --previous",
          "What comes after it was not touched. Mend the cause, then run 'pulumi up' again: it goes on from here.",
        ].join("\n"),
      );
      return true;
    });
  });

  it("shows the log of the container that runs where the earlier one's is gone", async () => {
    const logs = { "redis-instance-3-new/redis/false": "words" };
    await assert.rejects(watch([under(crashing)], { logs }), /The end of its log:\n {4}words/);
  });

  it("bears what passes sometimes for 20 s", async () => {
    const passing = Array.from({ length: 60 }, () => under(unpulled));
    assert.ok((await watch([...passing, { deployment: done }])).elapsedMs < 20_000);
    await assert.rejects(watch([under(unpulled)]), /ImagePullBackOff/);
  });

  it("bears it no longer because its words change", async () => {
    const failing = podOf("new", {
      state: { waiting: { reason: "ErrImagePull", message: "no such image" } },
    });
    const turns = Array.from({ length: 200 }, (_, i) => under(i % 2 === 0 ? unpulled : failing));
    await assert.rejects(watch([...turns, { deployment: done }]), /ErrImagePull|ImagePullBackOff/);
  });

  it("bears it each time anew", async () => {
    const passing = Array.from({ length: 60 }, () => under(unpulled));
    await watch([...passing, under(), ...passing, { deployment: done }]);
  });

  it("ends after its bound, with the log of the pod that isn't ready", async () => {
    const running = podOf("new", { state: { running: {} } });
    const logs = { "redis-instance-3-new/redis/false": "waits for its peers" };
    await assert.rejects(
      watch([under(running)], { timeoutMs: 60_000, logs }),
      /not rolled out: after 60 s \(redis-ha:rolloutSeconds\): pod redis-instance-3-new is not ready yet[\s\S]*waits for its peers/,
    );
  });

  it("ends at once when the cluster doesn't have the Deployment", async () => {
    await assert.rejects(watch([{ deployment: undefined }]), /pulumi up --refresh/);
  });
});
