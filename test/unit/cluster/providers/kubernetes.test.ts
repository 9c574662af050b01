import assert from "node:assert/strict";
import type { KubeObject } from "../../../../cluster/providers/kubernetes/kube-client.ts";
import { autonamed, completeObject, kindOf } from "../../../../cluster/providers/kubernetes/naming.ts";
import { podProblems, readinessOf } from "../../../../cluster/providers/kubernetes/readiness.ts";
import { deletesFirst, diffObjects } from "../../../../cluster/providers/kubernetes/replace-rules.ts";

const resource = (type: string, name = "thing") => ({ urn: "", type: `kubernetes:${type}`, name });

describe("names of Kubernetes objects", () => {
  it("come from the type", () => {
    assert.deepEqual(kindOf(resource("apps/v1:Deployment")), { apiVersion: "apps/v1", kind: "Deployment" });
    assert.deepEqual(kindOf(resource("core/v1:Service")), { apiVersion: "v1", kind: "Service" });
  });

  it("are random where none is given, marked as such, and kept", () => {
    const secret = resource("core/v1:Secret", "credentials");
    const first = completeObject(secret, {}, {}, "space");
    assert.match(String(first.metadata.name), /^credentials-[0-9a-f]{8}$/);
    assert.deepEqual(first.metadata.annotations, { [autonamed]: "true" });
    const second = completeObject(secret, {}, { ...first }, "space");
    assert.equal(second.metadata.name, first.metadata.name);
    assert.notEqual(completeObject(secret, {}, {}, "space").metadata.name, first.metadata.name);
  });

  it("are never taken over from an object whose name was given", () => {
    const object = completeObject(resource("core/v1:Secret"), {}, { metadata: { name: "given" } }, "space");
    assert.notEqual(object.metadata.name, "given");
  });

  it("that are given stay, without a mark", () => {
    const object = completeObject(resource("core/v1:Service"), { metadata: { name: "svc" } }, {}, "space");
    assert.deepEqual(object.metadata, { name: "svc", namespace: "space" });
  });

  it("have the default namespace only where there are namespaces and none is given", () => {
    const namespace = (type: string, metadata = {}) =>
      completeObject(resource(type), { metadata: { name: "n", ...metadata } }, {}, "space").metadata
        .namespace;
    assert.equal(namespace("core/v1:Namespace"), undefined);
    assert.equal(namespace("core/v1:Service"), "space");
    assert.equal(namespace("core/v1:Service", { namespace: "other" }), "other");
  });
});

describe("replacing a Kubernetes object", () => {
  const rows: readonly (readonly [kind: string, old: object, now: object, replaces: boolean])[] = [
    ["Deployment", { spec: { replicas: 1 } }, { spec: { replicas: 2 } }, false],
    ["Deployment", { spec: { selector: { a: 1 } } }, { spec: { selector: { a: 2 } } }, true],
    ["Deployment", { metadata: { name: "a" } }, { metadata: { name: "b" } }, true],
    ["Deployment", { metadata: { labels: { a: "1" } } }, { metadata: { labels: { a: "2" } } }, false],
    ["Secret", { stringData: { a: "1" } }, { stringData: { a: "2" } }, true],
    ["ConfigMap", { data: { a: "1" } }, { data: { b: "1" } }, true],
    ["Service", { spec: { clusterIP: "1" } }, { spec: { clusterIP: "2" } }, true],
    ["Service", { spec: { ports: [{ port: 1 }] } }, { spec: { ports: [{ port: 2 }] } }, false],
    ["PersistentVolumeClaim", { spec: { storageClassName: "a" } }, { spec: { storageClassName: "b" } }, true],
    [
      "PersistentVolumeClaim",
      { spec: { resources: { requests: { storage: "1Gi" } } } },
      { spec: { resources: { requests: { storage: "2Gi" } } } },
      false,
    ],
    ["Namespace", { metadata: { namespace: "a" } }, { metadata: { namespace: "b" } }, true],
  ];
  for (const [kind, old, now, replaces] of rows) {
    it(`${replaces ? "is needed" : "is not needed"}: ${kind} ${JSON.stringify(now)}`, () => {
      const changes = diffObjects(kind, { ...old }, { ...now }, { secretsMutable: false });
      assert.ok(changes.length > 0);
      assert.equal(
        changes.some((change) => change.replaces),
        replaces,
      );
    });
  }

  it("isn't needed for a Secret's data when Secrets are mutable, but for its type", () => {
    const replaces = (old: object, now: object): boolean =>
      diffObjects("Secret", { ...old }, { ...now }, { secretsMutable: true }).some(
        (change) => change.replaces,
      );
    assert.equal(replaces({ stringData: { a: "1" } }, { stringData: { a: "2" } }), false);
    assert.equal(replaces({ data: { a: "1" } }, { data: { a: "2" } }), false);
    assert.equal(replaces({ type: "Opaque" }, { type: "kubernetes.io/tls" }), true);
  });

  it("deletes first where both would have the same given name", () => {
    const named = (name: string, annotations = {}) => ({ metadata: { name, namespace: "s", annotations } });
    assert.equal(deletesFirst(named("a"), named("a")), true);
    assert.equal(deletesFirst(named("a"), named("b")), false);
    assert.equal(deletesFirst(named("a"), named("a", { [autonamed]: "true" })), false);
  });
});

describe("readiness of a Kubernetes object", () => {
  const object = (kind: string, spec: object, status: object, generation = 2): KubeObject => ({
    apiVersion: "v1",
    kind,
    metadata: { name: "n", generation },
    spec: { ...spec },
    status: { ...status },
  });
  const rolledOut = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
  const stuck = { type: "Progressing", status: "False", message: "deadline exceeded" };
  const rows: readonly (readonly [string, KubeObject, boolean, RegExp | true])[] = [
    ["a Deployment that is rolled out", object("Deployment", { replicas: 2 }, rolledOut), false, true],
    [
      "one that the controller hasn't seen yet",
      object("Deployment", { replicas: 2 }, { ...rolledOut, observedGeneration: 1 }),
      false,
      /not yet seen/,
    ],
    [
      "one with an old pod",
      object("Deployment", { replicas: 2 }, { ...rolledOut, replicas: 3 }),
      false,
      /2 of 2 pods updated/,
    ],
    [
      "one with a pod that isn't available",
      object("Deployment", { replicas: 2 }, { ...rolledOut, availableReplicas: 1 }),
      false,
      /1 available/,
    ],
    [
      "one that is stuck",
      object("Deployment", { replicas: 2 }, { ...rolledOut, availableReplicas: 0, conditions: [stuck] }),
      false,
      /deadline exceeded/,
    ],
    [
      "one without pods by wish",
      object("Deployment", { replicas: 0 }, { observedGeneration: 2 }),
      false,
      true,
    ],
    ["a bound claim", object("PersistentVolumeClaim", {}, { phase: "Bound" }), false, true],
    ["a pending claim", object("PersistentVolumeClaim", {}, { phase: "Pending" }), false, /claim is Pending/],
    ["a Service with an endpoint", object("Service", { selector: {} }, {}), true, true],
    ["a Service without one", object("Service", { selector: {} }, {}), false, /no pod is a ready endpoint/],
    ["a headless Service", object("Service", { selector: {}, clusterIP: "None" }, {}), false, true],
    ["a Service without selector", object("Service", {}, {}), false, true],
    [
      "a load balancer without address",
      object("Service", { type: "LoadBalancer", selector: {} }, {}),
      true,
      /no load balancer address/,
    ],
    ["a Secret", object("Secret", {}, {}), false, true],
  ];
  for (const [name, subject, endpoints, expected] of rows) {
    it(`${name}: ${expected === true ? "ready" : expected.source}`, () => {
      const found = readinessOf(subject, endpoints);
      if (expected === true) assert.deepEqual(found, { ready: true });
      else assert.match(found.ready ? "ready" : found.reason, expected);
    });
  }

  it("explains what is wrong with pods", () => {
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
