import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { Instances } from "../../components/instances.ts";
import { Naming } from "../../components/naming.ts";
import { clusterSite } from "../../components/topology/site.ts";
import { describeTopology } from "../../components/topology/topology.ts";
import { resolveSettings } from "../../settings/resolve-settings.ts";
import { eventually } from "../support/eventually.ts";

/** Registers the three Redis with a watch that is told by hand when something is done. */
async function rollByHand() {
  const registered: string[] = [];
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      if (type.endsWith(":Deployment")) registered.push(name.replace("set-", ""));
      return { id: name, state: inputs };
    },
    call: () => ({}),
  });
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  const wait = (key: string): Promise<void> => {
    const gate = Promise.withResolvers<void>();
    waiting.set(key, gate);
    return gate.promise;
  };
  const settings = resolveSettings({ "images:registry": "registry.example.com/r" }, "test");
  const { redis } = describeTopology(settings, clusterSite("space"));
  const secretFiles = new Map(
    redis.flatMap(({ secrets }) =>
      secrets.map((file) => [file, { secretName: pulumi.output("s"), key: file }] as const),
    ),
  );
  const instances = new Instances("redis", {
    naming: new Naming({ stack: "test", component: "set", prefix: "" }),
    namespace: "space",
    workloads: redis.toReversed(),
    claims: new Map(),
    image: { reference: "image@sha256:0" },
    secretFiles,
    certificates: new Map(),
    hostAliases: [],
    tolerationSeconds: 1,
    spread: "preferred",
    extras: settings.redis,
    rollouts: {
      turnOf: ({ name }, others) => wait(`turn of ${name} among ${others.length} others`),
      finished: (_deployment, { name }) => wait(`end of ${name}`),
    },
  });
  return {
    instances,
    registered,
    /** Lets go what waits; it has to wait already, or begin soon. */
    letGo: async (key: string) => {
      await eventually(() => assert.ok(waiting.has(key), `waits: ${[...waiting.keys()].join()}`), {
        withinMs: 5000,
      });
      waiting.get(key)?.resolve();
    },
    waits: () => [...waiting.keys()],
  };
}

describe("the order of a rollout", function () {
  this.timeout(20_000);

  it("registers a Deployment when the one before is rolled out and its turn has come, not before", async () => {
    const { instances, registered, letGo } = await rollByHand();
    const isRegistered = (...names: string[]): Promise<void> =>
      eventually(() => assert.deepEqual(registered, names), { withinMs: 5000 });
    await letGo("turn of redis-instance-3 among 2 others");
    await isRegistered("redis-instance-3");
    await delay(50);
    assert.deepEqual(registered, ["redis-instance-3"], "3 is not yet rolled out");
    await letGo("end of redis-instance-3");
    await delay(50);
    assert.deepEqual(registered, ["redis-instance-3"], "another one is away");
    await letGo("turn of redis-instance-2 among 2 others");
    await isRegistered("redis-instance-3", "redis-instance-2");
    await letGo("end of redis-instance-2");
    await letGo("turn of redis-instance-1 among 2 others");
    await isRegistered("redis-instance-3", "redis-instance-2", "redis-instance-1");
    await letGo("end of redis-instance-1");
    assert.equal((await instances.last).length, 1);
  });
});
