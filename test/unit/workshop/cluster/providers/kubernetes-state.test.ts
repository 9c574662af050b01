import assert from "node:assert/strict";
import {
  appliesByForce,
  fieldManagerOf,
  takeOverFields,
} from "../../../../../workshop/cluster/providers/kubernetes/field-managers.ts";
import type { KubeObject } from "../../../../../workshop/cluster/providers/kubernetes/kube-client.ts";
import {
  hasUnknown,
  inputsFrom,
  normalizeInputs,
  pruneLive,
} from "../../../../../workshop/cluster/providers/kubernetes/live-state.ts";
import { unknownValue } from "../../../../../workshop/cluster/providers/provider-program.ts";

describe("field managers of the genuine provider", () => {
  it("are one for each resource, kept in its state, unless an annotation names one", () => {
    const first = fieldManagerOf({}, {});
    assert.match(first, /^pulumi-kubernetes-[0-9a-f]{8}$/);
    assert.notEqual(fieldManagerOf({}, {}), first);
    assert.equal(fieldManagerOf({ __fieldManager: first }, {}), first);
    assert.equal(fieldManagerOf({ __fieldManager: first }, { "pulumi.com/patchFieldManager": "me" }), "me");
  });

  it("take nothing from others by force, unless an annotation or the environment says so", () => {
    assert.equal(appliesByForce({}, {}), false);
    assert.equal(appliesByForce({ "pulumi.com/patchForce": "true" }, {}), true);
    assert.equal(appliesByForce({}, { PULUMI_K8S_ENABLE_PATCH_FORCE: "true" }), true);
  });

  const entry = (manager: string, operation: string, fields: object, subresource?: string): object => ({
    manager,
    operation,
    fieldsV1: fields,
    ...(subresource === undefined ? {} : { subresource }),
  });
  const withManagers = (...managedFields: object[]): KubeObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "n", managedFields },
  });

  it("take over what kubectl has set, and leave the rest to its owners", () => {
    const found = takeOverFields(
      withManagers(
        entry("mine", "Apply", { "f:data": { "f:a": {} } }),
        entry("kubectl-edit", "Update", { "f:data": { "f:b": {} } }),
        entry("kube-controller-manager", "Update", { "f:status": {} }),
        entry("kubectl", "Update", { "f:spec": {} }, "scale"),
        entry("pulumi-kubernetes-1234", "Apply", { "f:data": { "f:c": {} } }),
      ),
      "mine",
    );
    assert.deepEqual(found, [
      entry("kube-controller-manager", "Update", { "f:status": {} }),
      entry("kubectl", "Update", { "f:spec": {} }, "scale"),
      entry("pulumi-kubernetes-1234", "Apply", { "f:data": { "f:c": {} } }),
      entry("mine", "Apply", { "f:data": { "f:a": {}, "f:b": {} } }),
    ]);
  });

  it("become the owner where there was only kubectl, and change nothing where there was none", () => {
    assert.deepEqual(
      takeOverFields(withManagers(entry("kubectl-create", "Update", { "f:data": {} })), "mine"),
      [entry("mine", "Apply", { "f:data": {} })],
    );
    assert.equal(takeOverFields(withManagers(entry("mine", "Apply", {})), "mine"), undefined);
    assert.equal(takeOverFields(withManagers(entry("other", "Update", {})), "mine"), undefined);
  });
});

describe("what the genuine provider compares", () => {
  it("is the live object, as far as the old inputs go", () => {
    const live = { spec: { replicas: 5, other: 1, list: [{ a: 1, b: 2 }, { a: 3 }] }, status: {} };
    assert.deepEqual(pruneLive(live, { spec: { replicas: 3, list: [{ a: 0 }] } }), {
      spec: { replicas: 5, list: [{ a: 1 }] },
    });
  });

  it("a Secret's texts are data, and in the inputs again texts", () => {
    const inputs = {
      kind: "Secret",
      metadata: { name: "n", uid: "x" },
      stringData: { a: "text" },
      data: { b: "Yg==" },
    };
    const normalized = normalizeInputs(inputs);
    assert.deepEqual(normalized, {
      kind: "Secret",
      metadata: { name: "n" },
      data: { a: "dGV4dA==", b: "Yg==" },
    });
    const live = {
      kind: "Secret",
      metadata: { name: "n", labels: {} },
      data: { a: "bmV3", b: "Yg==", c: "" },
    };
    assert.deepEqual(inputsFrom(live, inputs), {
      kind: "Secret",
      metadata: { name: "n" },
      stringData: { a: "new" },
      data: { b: "Yg==" },
    });
  });

  it("nothing that is empty, which the API server drops, but in maps of texts", () => {
    const env = [
      { name: "A", value: "" },
      { name: "B", value: "b" },
    ];
    const inputs = {
      metadata: { labels: { a: "" } },
      spec: { env, ingress: [], emptyDir: {}, zero: 0, off: false },
    };
    assert.deepEqual(normalizeInputs(inputs), {
      metadata: { labels: { a: "" } },
      spec: { env: [{ name: "A" }, { name: "B", value: "b" }], emptyDir: {}, zero: 0, off: false },
    });
  });

  it("nothing while something is unknown", () => {
    assert.equal(hasUnknown({ a: [{ b: unknownValue }] }), true);
    assert.equal(hasUnknown({ a: [{ b: "x" }], c: null }), false);
    const inputs = { kind: "Secret", stringData: { a: unknownValue } };
    assert.equal(normalizeInputs(inputs), inputs);
  });
});
