import assert from "node:assert/strict";
import { othersMetadata } from "../../../../components/ownership/others-metadata.ts";

/** Who set which keys, as the API server notes it. */
function managed(manager: string, labels: string[], annotations: string[] = []): object {
  const fields = (keys: string[]): object => Object.fromEntries(keys.map((key) => [`f:${key}`, {}]));
  return {
    manager,
    fieldsV1: { "f:metadata": { "f:labels": fields(labels), "f:annotations": fields(annotations) } },
  };
}

describe("what others gave an object", () => {
  const labels = {
    team: "shop",
    "app.kubernetes.io/name": "redis-ha",
    "rancher.io/project": "p",
    cost: "42",
  };
  const annotations = { owner: "ann", "redis-ha/stack": "o/p/s", "scheduler.io/node": "n" };
  const metadata = {
    labels,
    annotations,
    managedFields: [
      managed("kubectl-label", ["team"]),
      managed("kubectl-annotate", [], ["owner", "redis-ha/stack"]),
      // An update of the provider has taken it over from kubectl since.
      managed("pulumi-kubernetes-1a2b3c4d", ["app.kubernetes.io/name", "cost"]),
      managed("rancher", ["rancher.io/project"], ["scheduler.io/node"]),
    ],
  };

  it("is what the provider would remove: set by hand, and not by this program", () => {
    assert.deepEqual(othersMetadata(metadata), {
      labels: { team: "shop", cost: "42" },
      annotations: { owner: "ann" },
    });
  });

  it("is nothing of an object without any", () => {
    assert.deepEqual(othersMetadata(undefined), { labels: {}, annotations: {} });
    assert.deepEqual(othersMetadata({ name: "x" }), { labels: {}, annotations: {} });
  });
});
