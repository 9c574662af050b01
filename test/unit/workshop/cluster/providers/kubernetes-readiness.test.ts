import assert from "node:assert/strict";
import type { KubeObject } from "../../../../../workshop/cluster/providers/kubernetes/kube-client.ts";
import {
  claimReadiness,
  deploymentReadiness,
  podProblems,
  serviceReadiness,
} from "../../../../../workshop/cluster/providers/kubernetes/readiness.ts";
import { Settling } from "../../../../../workshop/cluster/providers/kubernetes/settle.ts";
import { waitedFor } from "../../../../../workshop/cluster/providers/kubernetes/wait-for.ts";

const revision = (number: number): object => ({ "deployment.kubernetes.io/revision": String(number) });
const available = { type: "Available", status: "True" };
const rolledOut = { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" };
const updating = { type: "Progressing", status: "True", reason: "ReplicaSetUpdated", message: "progressing" };

function object(kind: string, spec: object, status: object, metadata: object = {}): KubeObject {
  return { apiVersion: "v1", kind, metadata: { name: "n", ...metadata }, spec: { ...spec }, status };
}

function deployment(annotations: object, conditions: object[], volumes: object[] = []): KubeObject {
  const spec = { replicas: 1, template: { spec: { volumes } } };
  return object("Deployment", spec, { conditions }, { uid: "d", generation: 7, annotations });
}

function replicaSet(number: number, readyReplicas: number, owner = "d"): KubeObject {
  const metadata = { annotations: revision(number), ownerReferences: [{ uid: owner }] };
  return object("ReplicaSet", { replicas: 1 }, { readyReplicas }, metadata);
}

describe("when the genuine provider takes a Deployment for done", () => {
  const rows: readonly (readonly [string, KubeObject, KubeObject[], RegExp | true])[] = [
    [
      // The answer to an update of a `Recreate` Deployment whose old pod still runs: the roll has not even begun.
      "an update that the controller hasn't seen yet, as the API server answers it",
      deployment(revision(3), [available, rolledOut]),
      [replicaSet(3, 1)],
      true,
    ],
    [
      "the old pods have gone",
      deployment(revision(3), [{ ...available, status: "False", message: "none there" }, updating]),
      [replicaSet(3, 0)],
      /0 of 1 pods of revision 3/,
    ],
    [
      "a new revision whose pod isn't ready",
      deployment(revision(4), [available, updating]),
      [replicaSet(3, 1), replicaSet(4, 0)],
      /0 of 1 pods of revision 4/,
    ],
    [
      "a new revision whose pod is ready, before the condition says so",
      deployment(revision(4), [available, updating]),
      [replicaSet(4, 1)],
      /progressing/,
    ],
    ["a new revision", deployment(revision(4), [available, rolledOut]), [replicaSet(4, 1)], true],
    ["a first revision needs no condition", deployment(revision(1), [available]), [replicaSet(1, 1)], true],
    ["no ReplicaSet yet", deployment({}, []), [], /no ReplicaSet yet/],
    [
      "another Deployment's ReplicaSet of the same revision",
      deployment(revision(1), [available]),
      [replicaSet(1, 1, "other")],
      /0 of 1 pods/,
    ],
    [
      "not available",
      deployment(revision(2), [{ type: "Available", status: "False", message: "too few" }, rolledOut]),
      [replicaSet(2, 1)],
      /too few/,
    ],
    [
      "over its deadline: it is waited for all the same",
      deployment(revision(2), [{ ...updating, status: "False", message: "deadline exceeded" }]),
      [replicaSet(2, 0)],
      /deadline exceeded/,
    ],
  ];
  for (const [name, subject, replicaSets, expected] of rows) {
    it(`${name}: ${expected === true ? "done" : expected.source}`, () => {
      const found = deploymentReadiness(subject, { replicaSets, claims: [] });
      if (expected === true) assert.deepEqual(found, { ready: true });
      else assert.match(found.ready ? "done" : found.reason, expected);
    });
  }

  it("not before its claims are bound; those of others don't count", () => {
    const volumes = [{ persistentVolumeClaim: { claimName: "mine" } }, { emptyDir: {} }];
    const subject = deployment(revision(1), [available], volumes);
    const readiness = (claim: KubeObject) =>
      deploymentReadiness(subject, { replicaSets: [replicaSet(1, 1)], claims: [claim] });
    const claim = (name: string, phase: string) => object("PersistentVolumeClaim", {}, { phase }, { name });
    assert.deepEqual(readiness(claim("mine", "Bound")), { ready: true });
    assert.deepEqual(readiness(claim("others", "Pending")), { ready: true });
    assert.deepEqual(readiness(claim("mine", "Pending")), {
      ready: false,
      reason: "the claim mine is Pending",
    });
  });
});

describe("when the genuine provider takes a Service for done", () => {
  const quiet = { pending: false, settled: true };
  const rows: readonly (readonly [
    string,
    KubeObject,
    { pending: boolean; settled: boolean },
    RegExp | true,
  ])[] = [
    ["no pod at all, for 10 s", object("Service", { selector: { a: "b" } }, {}), quiet, true],
    [
      "endpoints that change",
      object("Service", { selector: { a: "b" } }, {}),
      { ...quiet, settled: false },
      /10 s/,
    ],
    [
      "a pod that isn't ready",
      object("Service", { selector: { a: "b" } }, {}),
      { ...quiet, pending: true },
      /not ready/,
    ],
    [
      "headless",
      object("Service", { selector: { a: "b" }, clusterIP: "None" }, {}),
      { pending: true, settled: false },
      true,
    ],
    ["without selector", object("Service", {}, {}), { pending: false, settled: false }, true],
    [
      "a load balancer without address",
      object("Service", { type: "LoadBalancer", selector: { a: "b" } }, {}),
      quiet,
      /no load balancer address/,
    ],
    [
      "a load balancer with one",
      object("Service", { type: "LoadBalancer", selector: { a: "b" } }, { loadBalancer: { ingress: [{}] } }),
      quiet,
      true,
    ],
  ];
  for (const [name, subject, endpoints, expected] of rows) {
    it(`${name}: ${expected === true ? "done" : expected.source}`, () => {
      const found = serviceReadiness(subject, endpoints);
      if (expected === true) assert.deepEqual(found, { ready: true });
      else assert.match(found.ready ? "done" : found.reason, expected);
    });
  }

  it("ten seconds after a change, though a later change has come and gone", () => {
    const settling = new Settling(10);
    const seen = [
      settling.at(0, undefined),
      settling.at(1, "1"),
      settling.at(10, "1"),
      settling.at(10.5, "2"),
      // The timer of the first change.
      settling.at(11, "2"),
      settling.at(12, "3"),
      settling.at(20, "3"),
      settling.at(20.5, "3"),
    ];
    assert.deepEqual(seen, [false, false, false, false, true, false, false, true]);
  });
});

describe("when the genuine provider takes a claim for done", () => {
  const claim = (phase: string) => object("PersistentVolumeClaim", {}, { phase });
  it("bound; of a class that binds late, pending and never bound", () => {
    assert.equal(claimReadiness(claim("Bound"), "Immediate").ready, true);
    assert.equal(claimReadiness(claim("Pending"), "Immediate").ready, false);
    assert.equal(claimReadiness(claim("Pending"), undefined).ready, false);
    assert.equal(claimReadiness(claim("Pending"), "WaitForFirstConsumer").ready, true);
    assert.deepEqual(claimReadiness(claim("Bound"), "WaitForFirstConsumer"), {
      ready: false,
      reason: "the claim is Bound, waiting for Pending",
    });
  });
});

describe("pulumi.com/waitFor", () => {
  const ready = { type: "Ready", status: "True" };
  const subject = object("Thing", {}, { phase: "Up", conditions: [ready] }, { uid: "1" });
  const rows: readonly (readonly [annotation: string, holds: boolean])[] = [
    ["jsonpath={.metadata.uid}", true],
    ["jsonpath={.metadata.nothing.at.all}", false],
    ["jsonpath={.status.phase}=Up", true],
    ["jsonpath={.status.phase}=Down", false],
    ["condition=Ready", true],
    ["condition=Ready=False", false],
    ["condition=Other", false],
    ['["condition=Ready", "jsonpath={.status.phase}=Up"]', true],
    ['["condition=Ready", "jsonpath={.status.phase}=Down"]', false],
  ];
  for (const [annotation, holds] of rows) {
    it(`${annotation}: ${holds}`, () => assert.equal(waitedFor(subject, annotation).ready, holds));
  }

  it("holds for nothing that the controller hasn't seen", () => {
    const unseen = object("Thing", {}, { observedGeneration: 1 }, { uid: "1", generation: 2 });
    assert.equal(waitedFor(unseen, "jsonpath={.metadata.uid}").ready, false);
  });

  it("says what it doesn't know", () => {
    assert.throws(() => waitedFor(subject, "jsonpath={.a[0]}"), /doesn't know/);
  });
});

describe("what the stand-in says of pods", () => {
  it("explains what is wrong with them", () => {
    const pod = (status: object): KubeObject => object("Pod", {}, status);
    const waiting = { state: { waiting: { reason: "ImagePullBackOff", message: "no such image" } } };
    assert.deepEqual(podProblems([pod({ containerStatuses: [waiting] })]), [
      "pod n: ImagePullBackOff: no such image",
    ]);
    const unscheduled = { type: "PodScheduled", status: "False", message: "no node has memory" };
    assert.deepEqual(podProblems([pod({ conditions: [unscheduled] })]), ["pod n: no node has memory"]);
    const unready = { type: "Ready", status: "False", message: "containers with unready status" };
    assert.deepEqual(podProblems([pod({ conditions: [unready] })]), [
      "pod n is not ready: containers with unready status",
    ]);
    assert.deepEqual(podProblems([pod({}), pod({ conditions: [{ type: "Ready", status: "True" }] })]), []);
  });
});
