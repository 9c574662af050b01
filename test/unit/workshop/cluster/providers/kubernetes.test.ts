import assert from "node:assert/strict";
import {
  autonamed,
  completeObject,
  kindOf,
} from "../../../../../workshop/cluster/providers/kubernetes/naming.ts";
import {
  deletesFirst,
  diffObjects,
} from "../../../../../workshop/cluster/providers/kubernetes/replace-rules.ts";

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
    ["PersistentVolumeClaim", { spec: { volumeMode: "Block" } }, { spec: {} }, false],
    ["PodDisruptionBudget", { spec: { minAvailable: 1 } }, { spec: { minAvailable: 2 } }, false],
    ["Job", { spec: { template: { a: 1 } } }, { spec: { template: { a: 2 } } }, true],
    ["Job", { spec: { backoffLimit: 1 } }, { spec: { backoffLimit: 2 } }, false],
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
    assert.equal(
      replaces({ data: { a: "1" }, immutable: true }, { data: { a: "2" }, immutable: true }),
      true,
    );
  });

  it("deletes first where both would have the same given name", () => {
    const named = (name: string, annotations = {}) => ({ metadata: { name, namespace: "s", annotations } });
    assert.equal(deletesFirst(named("a"), named("a")), true);
    assert.equal(deletesFirst(named("a"), named("b")), false);
    assert.equal(deletesFirst(named("a"), named("a", { [autonamed]: "true" })), false);
  });
});
