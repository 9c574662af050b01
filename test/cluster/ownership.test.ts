import assert from "node:assert/strict";
import { kubectl, objectNames } from "../support/kubectl.ts";
import { TestStack } from "../support/test-stack.ts";

const namespace = "redis-ha-ownership";
const inNamespace = ["--namespace", namespace] as const;
/** Nothing has to run here: what a destroy leaves behind is what two stacks may quarrel about. */
const volumesOnly = [
  "**installation",
  "**pulumi:providers:kubernetes**",
  "**redis-ha:index:Volumes**",
].flatMap((urn) => ["--target", urn]);
const configuration = {
  "redis-ha:namespace": namespace,
  "images:sentinel": "example/sentinel:1",
  "images:proxy": "example/proxy:1",
  "redis:storage": "128Mi",
};
const ours = [1, 2, 3].flatMap((i) => [
  `persistentvolumeclaim/pvc-redis-instance-${i}`,
  `persistentvolumeclaim/pvc-redis-sentinel-${i}`,
]);
const theirs = ["configmap/settings", "persistentvolumeclaim/data"];
const kinds = ["configmap", "persistentvolumeclaim", "deployment", "service", "secret"];

/** What an update would change: labels, annotations and specs of the namespace and all claims. */
async function everything(): Promise<string> {
  const [object, claims] = await Promise.all([
    kubectl([
      "get",
      "namespace",
      namespace,
      "--output",
      "jsonpath={.metadata.labels}{.metadata.annotations}",
    ]),
    kubectl([
      ...inNamespace,
      "get",
      "persistentvolumeclaim",
      "--output",
      "jsonpath={.items[*]['metadata','spec']}",
    ]),
  ]);
  return object + claims;
}

async function annotation(kind: string, name: string, key: string): Promise<string> {
  const path = `jsonpath={.metadata.annotations['redis-ha/${key}']}`;
  return kubectl([...inNamespace, "get", kind, name, "--output", path]);
}

describe("what belongs to others on a cluster", function () {
  this.timeout(180_000);
  const made: TestStack[] = [];
  let first: TestStack;
  /** A stack with a state of its own. */
  async function create(name: string, more: Record<string, string> = {}): Promise<TestStack> {
    const stack = await TestStack.create(name, { ...configuration, ...more });
    made.push(stack);
    return stack;
  }

  before(async () => {
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=60s"]);
    await kubectl(["create", "namespace", namespace]);
    const objects = [
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "settings", namespace },
        data: { of: "others" },
      },
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "data", namespace },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
      },
    ];
    await kubectl(
      ["apply", "--filename", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
    );
    first = await create("ownership-a");
  });

  after(async () => {
    for (const stack of made) {
      await stack.destroy().catch(() => undefined);
      stack.remove();
    }
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=60s"]);
  });

  it("stays as it is: a namespace that carries no mark of the stack", async () => {
    const before = await everything();
    await assert.rejects(first.run("preview"), /Namespace 'redis-ha-ownership' exists and carries no mark/);
    await assert.rejects(first.up(), /carries no mark of this stack/);
    assert.equal(await everything(), before);
  });

  it("becomes the stack's own when somebody hands it over", async () => {
    await kubectl(["annotate", "namespace", namespace, "redis-ha/stack=organization/redis-ha/ownership-a"]);
    await first.up(...volumesOnly);
    const number = await annotation("namespace", namespace, "installation");
    assert.match(number, /^[0-9a-f-]{36}$/);
    assert.equal(await annotation("persistentvolumeclaim", "pvc-redis-instance-1", "installation"), number);
    assert.deepEqual((await objectNames(namespace, kinds)).sort(), [...theirs, ...ours].sort());
  });

  it("isn't touched by a second stack in the namespace, nor by its destroy without keepVolumes", async () => {
    const before = await everything();
    const second = await create("ownership-b", { "redis-ha:keepVolumes": "false" });
    const belongs = /belongs to the stack 'organization\/redis-ha\/ownership-a'/;
    await assert.rejects(second.run("preview"), belongs);
    await second.configure({ "redis-ha:createNamespace": "false" });
    await assert.rejects(second.up(), belongs);
    await second.destroy();
    assert.equal(await everything(), before);
  });

  it("isn't taken by a namesake with another state while it runs, and is adopted with a new state when it doesn't", async () => {
    const number = await annotation("namespace", namespace, "installation");
    const labels = { "app.kubernetes.io/name": "redis-ha", "app.kubernetes.io/instance": "ownership-a" };
    const running = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "redis-instance-1", namespace, labels },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "main", image: "example/any:1" }] } },
      },
    };
    await kubectl(["apply", "--filename", "-"], JSON.stringify(running));
    const before = await everything();
    const namesake = await create("ownership-a");
    await assert.rejects(namesake.run("preview"), /holds a running stack .* that isn't in this state/);
    await assert.rejects(namesake.up(), /holds a running stack .* with Deployment 'redis-instance-1'/);
    assert.equal(await everything(), before);

    await kubectl([...inNamespace, "delete", "deployment", "redis-instance-1"]);
    await namesake.up(...volumesOnly);
    assert.notEqual(await annotation("namespace", namespace, "installation"), number);
    first = namesake;
  });

  it("is refused in a preview: a volume that would have to shrink, or to grow where its class doesn't let it", async () => {
    await first.configure({ "redis:storage": "64Mi", "sentinel:storage": "32Mi" });
    await assert.rejects(first.run("preview"), ({ message }: Error) => {
      assert.match(
        message,
        /'redis:storage' is 64Mi but PersistentVolumeClaim 'pvc-redis-instance-1'.* has 128Mi, and a volume can't shrink/,
      );
      assert.match(
        message,
        /'sentinel:storage' is 32Mi but .*'pvc-redis-sentinel-1'.* has 16Mi and its StorageClass 'standard' doesn't let volumes grow/,
      );
      return true;
    });
    await first.configure({ "redis:storage": "128Mi", "sentinel:storage": "16Mi" });
  });

  it("has no secret settings: their values are neither in what is told nor in the state", async () => {
    const { name, pulumi } = first;
    await pulumi.run(["config", "set", "--secret", "--stack", name, "redis:extraConfig", "hush-hush"]);
    await assert.rejects(first.run("preview"), (error: Error) => {
      assert.match(error.message, /'redis:extraConfig' is a secret/);
      assert.doesNotMatch(error.message, /hush/);
      return true;
    });
    await assert.rejects(first.up(), /'redis:extraConfig' is a secret/);
    assert.doesNotMatch(await first.run("stack", "export"), /hush/);
    await pulumi.run(["config", "rm", "--stack", name, "redis:extraConfig"]);
  });

  it("is all that is left, with the namespace, of a destroy without keepVolumes", async () => {
    await first.configure({ "redis-ha:keepVolumes": "false" });
    await first.up(...volumesOnly);
    await first.destroy();
    assert.deepEqual((await objectNames(namespace, kinds)).sort(), theirs);
  });
});
