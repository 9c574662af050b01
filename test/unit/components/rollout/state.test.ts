import assert from "node:assert/strict";
import type { V1Deployment, V1Pod, V1ReplicaSet } from "@kubernetes/client-node";
import { jobState, type RolloutGoal, rolloutState } from "../../../../components/rollout/state.ts";
import { deploymentOf, podOf, replicaSetOf } from "../../../support/cluster-objects.ts";

const goal: RolloutGoal = { replicas: 1, earlierRestarts: new Map() };

function stateOf(
  deployment: V1Deployment,
  pods: V1Pod[] = [],
  replicaSets: V1ReplicaSet[] = [],
  given = goal,
) {
  return rolloutState({ deployment, pods, replicaSets }, given);
}

/** A Deployment of the image `new` whose only pod is in a state. */
function stateWith(pod: Parameters<typeof podOf>[1], given = goal) {
  return stateOf(deploymentOf("new", {}), [podOf("new", pod)], [replicaSetOf("new")], given);
}

describe("whether a Deployment is rolled out", () => {
  it("is: all pods new and ready, no other left", () => {
    assert.deepEqual(
      stateOf(deploymentOf("new", { replicas: 1, updatedReplicas: 1, availableReplicas: 1 })),
      {
        kind: "done",
      },
    );
  });

  it("isn't before the controller has seen the newest generation, whatever the old status says", () => {
    const status = { replicas: 1, updatedReplicas: 1, availableReplicas: 1, observedGeneration: 1 };
    assert.deepEqual(stateOf(deploymentOf("new", status)), {
      kind: "waiting",
      reason: "the cluster has not begun yet",
    });
  });

  const unfinished = [
    { replicas: 1, availableReplicas: 1 },
    { replicas: 2, updatedReplicas: 1, availableReplicas: 2 },
    { replicas: 1, updatedReplicas: 1 },
    {},
  ];
  for (const status of unfinished) {
    it(`isn't: ${JSON.stringify(status)}`, () =>
      assert.equal(stateOf(deploymentOf("new", status)).kind, "waiting"));
  }

  it("fails when somebody has scaled it away, with the command that mends it", () => {
    const deployment = deploymentOf("new", {});
    assert.ok(deployment.spec);
    const state = stateOf({ ...deployment, spec: { ...deployment.spec, replicas: 0 } });
    assert.equal(state.kind, "failed");
    assert.match(JSON.stringify(state), /kubectl -n space scale deployment redis-instance-3 --replicas=1/);
  });

  it("fails when the cluster refuses to make pods, after a while", () => {
    const conditions = [{ type: "ReplicaFailure", status: "True", message: "exceeded quota" }];
    assert.deepEqual(stateOf(deploymentOf("new", { conditions })), {
      kind: "failed",
      reason: "no pod can be made: exceeded quota",
      toleratedMs: 20_000,
    });
  });
});

describe("a new pod that can't run", () => {
  const crashed = { restartCount: 1, lastState: { terminated: { exitCode: 1, reason: "Error" } } };
  const pod = "pod redis-instance-3-new, container 'redis'";

  it("fails at once when it keeps crashing, with the container whose log tells why", () => {
    assert.deepEqual(stateWith({ ...crashed, state: { waiting: { reason: "CrashLoopBackOff" } } }), {
      kind: "failed",
      reason: `${pod}: keeps ending with exit code 1`,
      toleratedMs: 0,
      culprit: { pod: "redis-instance-3-new", container: "redis", previous: true },
    });
  });

  it("may crash once", () => {
    assert.equal(stateWith({ ...crashed, state: { running: {} } }).kind, "waiting");
  });

  it("fails at once when it used too much memory", () => {
    const killed = { restartCount: 1, lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } } };
    const state = stateWith({ ...killed, state: { running: {} } });
    assert.equal(state.kind, "failed");
    assert.match(JSON.stringify(state), /OOMKilled/);
  });

  it("isn't blamed for what happened before the program began", () => {
    const killed = { restartCount: 4, lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } } };
    const earlierRestarts = new Map([["uid-new", 4]]);
    assert.equal(
      stateWith({ ...killed, state: { running: {} } }, { ...goal, earlierRestarts }).kind,
      "waiting",
    );
  });

  it("may have been in a crash loop before the program began, for a minute", () => {
    const earlierRestarts = new Map([["uid-new", 1]]);
    const looping = { ...crashed, state: { waiting: { reason: "CrashLoopBackOff" } } };
    const state = stateWith(looping, { ...goal, earlierRestarts });
    assert.equal(state.kind === "failed" && state.toleratedMs, 60_000);
  });

  const tolerated: readonly (readonly [reason: string, toleratedMs: number])[] = [
    ["ImagePullBackOff", 20_000],
    ["ErrImagePull", 20_000],
    ["CreateContainerConfigError", 20_000],
    ["InvalidImageName", 0],
  ];
  for (const [reason, toleratedMs] of tolerated) {
    it(`${reason} is final after ${toleratedMs / 1000} s`, () => {
      assert.deepEqual(stateWith({ restartCount: 0, state: { waiting: { reason, message: "why" } } }), {
        kind: "failed",
        reason: `${pod}: ${reason}: why`,
        toleratedMs,
      });
    });
  }

  it("is waited for while it is being made", () => {
    const state = stateWith({ restartCount: 0, state: { waiting: { reason: "ContainerCreating" } } });
    assert.equal(state.kind, "waiting");
  });

  it("is waited for while no node has room, and the reason is told", () => {
    const unscheduled = { type: "PodScheduled", status: "False", message: "0/3 nodes are available" };
    const state = stateWith({ conditions: [unscheduled] });
    assert.deepEqual(state, {
      kind: "waiting",
      reason: "pod redis-instance-3-new finds no node: 0/3 nodes are available",
    });
  });
});

describe("an old pod that can't run", () => {
  const broken = { restartCount: 9, state: { waiting: { reason: "CrashLoopBackOff" } } };

  it("is no reason to give up: it is being replaced for that", () => {
    const deployment = deploymentOf("new", { replicas: 1 });
    const pods = [podOf("old", broken)];
    assert.equal(stateOf(deployment, pods, [replicaSetOf("old")]).kind, "waiting");
    assert.equal(stateOf(deployment, pods, [replicaSetOf("old"), replicaSetOf("new")]).kind, "waiting");
  });

  it("is named while it ends", () => {
    const pods = [podOf("old", { ...broken, leaving: true })];
    assert.deepEqual(stateOf(deploymentOf("new", {}), pods, [replicaSetOf("old")]), {
      kind: "waiting",
      reason: "pod redis-instance-3-old is ending",
    });
  });

  it("of another Deployment with the same template counts for nothing", () => {
    const others = replicaSetOf("new", "another-uid");
    assert.equal(stateOf(deploymentOf("new", {}), [podOf("new", broken)], [others]).kind, "waiting");
  });
});

describe("a Job", () => {
  it("is done when its pod has succeeded, and waited for before", () => {
    assert.deepEqual(jobState({ status: { succeeded: 1 } }, []), { kind: "done" });
    assert.equal(jobState({}, []).kind, "waiting");
    assert.equal(jobState({}, [podOf("new", { state: { running: {} } })]).kind, "waiting");
  });

  it("fails at once with its pod, whose log tells why", () => {
    const ended = podOf("new", { state: { terminated: { exitCode: 1 } } });
    assert.deepEqual(jobState({ status: { failed: 1 } }, [ended]), {
      kind: "failed",
      reason: "its pod ended with exit code 1",
      toleratedMs: 0,
      culprit: { pod: "redis-instance-3-new", container: "redis", previous: false },
    });
  });

  it("fails when its pod can't be started", () => {
    const unpulled = podOf("new", { state: { waiting: { reason: "ImagePullBackOff" } } });
    assert.equal(jobState({}, [unpulled]).kind, "failed");
  });
});
