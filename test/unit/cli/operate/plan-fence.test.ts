import assert from "node:assert/strict";
import type { Observation } from "../../../../cli/operate/observation.ts";
import { planFence } from "../../../../cli/operate/plan-fence.ts";
import { planForce } from "../../../../cli/operate/plan-force.ts";
import { readRedis } from "../../../../cli/operate/read-replies.ts";
import { readScales } from "../../../../cli/operate/stack-scale.ts";
import {
  redisAddress,
  replaced,
  sampleObservation,
  sampleRedis,
  sampleSentinel,
} from "../../../support/observations.ts";

const calm = sampleObservation();
const down = (n: number, machine = {}) =>
  readRedis(
    { name: `redis-instance-${n}`, address: redisAddress(n) },
    new Error("connect ECONNREFUSED"),
    machine,
  );

describe("a fence", () => {
  it("may be put around any instance when all others are in sync, and says whether it leads", () => {
    for (const [wanted, leads] of [
      ["1", true],
      ["redis-instance-2", false],
    ] as const) {
      const plan = planFence(calm, wanted);
      assert.ok(plan.kind === "go");
      assert.equal(plan.leads, leads);
    }
  });

  const refusals: readonly (readonly [why: string, seen: Partial<Observation>, reason: RegExp])[] = [
    [
      "another one is down",
      { redis: replaced(calm.redis, down(3)) },
      /redis-instance-3 doesn't answer \(connect ECONNREFUSED\): all others/,
    ],
    [
      "another one isn't in sync",
      { redis: replaced(calm.redis, sampleRedis(3, ["master_link_status:down"])) },
      /redis-instance-3 is not in sync/,
    ],
    [
      "another one is fenced",
      { redis: replaced(calm.redis, down(3, { fenced: "by me" })) },
      /redis-instance-3 is fenced/,
    ],
    [
      "it is fenced",
      { redis: replaced(calm.redis, down(2, { fenced: "by me" })) },
      /redis-instance-2 is fenced already/,
    ],
    ["there is no master", { sentinels: [] }, /there is no master/],
    [
      "a failover is under way",
      {
        sentinels: [1, 2, 3].map((n) =>
          sampleSentinel(n, { master: { flags: "master,failover_in_progress" } }),
        ),
      },
      /a failover is under way/,
    ],
  ];
  for (const [why, change, reason] of refusals) {
    it(`is refused when ${why}`, () => {
      const plan = planFence({ ...calm, ...change }, "2");
      assert.ok(plan.kind === "refuse");
      assert.match(plan.reason, reason);
    });
  }

  it("is refused for an instance that isn't there", () => {
    const plan = planFence(calm, "4");
    assert.ok(plan.kind === "refuse");
    assert.match(plan.reason, /no instance '4': use one of redis-instance-1/);
  });
});

describe("a master by force", () => {
  const noted = (ms: number) => ({ noted: { epoch: 3, ms } });

  it("is refused where one works", () => {
    const two = planForce(calm, "2");
    assert.ok(two.kind === "refuse");
    assert.match(
      two.reason,
      /redis-instance-1 leads and works: redis-ha switchover --to redis-instance-2 loses nothing/,
    );
    const one = planForce(calm, "1");
    assert.ok(one.kind === "refuse");
    assert.match(one.reason, /is the master already/);
  });

  it("says of each copy how new it is, and which has what will be lost", () => {
    const seen = { ...calm, redis: [down(1), down(2, noted(1000)), down(3, noted(2000))] };
    const plan = planForce(seen, "2");
    assert.ok(plan.kind === "go");
    const [own, first, third] = plan.losses;
    assert.match(own ?? "", /^redis-instance-2: its copy is of 1970-01-01T00:00:01.000Z, epoch 3$/);
    assert.match(
      first ?? "",
      /^redis-instance-1: connect ECONNREFUSED; if it has newer writes, they are lost$/,
    );
    assert.match(third ?? "", /^redis-instance-3: NEWER, of 1970-01-01T00:00:02.000Z/);
  });

  it("is refused for one that is fenced", () => {
    const seen = { ...calm, redis: [down(1), down(2, { fenced: "x" }), down(3)] };
    const plan = planForce(seen, "2");
    assert.ok(plan.kind === "refuse");
    assert.match(plan.reason, /unfence redis-instance-2 first/);
  });
});

describe("a stack that hibernates", () => {
  it("remembers how many pods each workload had", () => {
    const deployment = (name: string, component: string, replicas: number, annotations = {}) => ({
      kind: "Deployment",
      metadata: {
        name,
        labels: { "app.kubernetes.io/component": component, "redis-ha/workload": name },
        annotations,
      },
      spec: { replicas },
      status: { replicas, readyReplicas: replicas },
    });
    const ending = { kind: "Pod", metadata: { name: "proxy-1", labels: { "redis-ha/workload": "proxy" } } };
    const pod = {
      kind: "Pod",
      metadata: { name: "r-1", labels: { "redis-ha/workload": "redis-instance-1" } },
    };
    const items = [
      deployment("proxy", "proxy", 0, { "redis-ha/awake-replicas": "2" }),
      deployment("redis-instance-1", "redis", 1),
      ending,
      pod,
    ];
    assert.deepEqual(readScales(JSON.stringify({ items })), [
      { object: "proxy", kind: "proxy", wanted: 0, pods: 1, ready: 0, awake: 2 },
      { object: "redis-instance-1", kind: "redis", wanted: 1, pods: 1, ready: 1, awake: 1 },
    ]);
  });
});
