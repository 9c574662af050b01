import assert from "node:assert/strict";
import type { Observation } from "../../../../cli/operate/observation.ts";
import { planSwitchover } from "../../../../cli/operate/plan-switchover.ts";
import { readRedis } from "../../../../cli/operate/read-replies.ts";
import {
  redisAddress,
  replaced,
  sampleObservation,
  sampleRedis,
  sampleSentinel,
} from "../../../support/observations.ts";

const calm = sampleObservation();
const down = readRedis(
  { name: "redis-instance-2", address: redisAddress(2) },
  new Error("connect ECONNREFUSED"),
  {},
);
const two = (...info: string[]): Partial<Observation> => ({
  redis: replaced(calm.redis, sampleRedis(2, info)),
});
const sentinels = (changes: Parameters<typeof sampleSentinel>[1]): Partial<Observation> => ({
  sentinels: [1, 2, 3].map((n) => sampleSentinel(n, changes)),
});

describe("a planned switchover", () => {
  it("goes to the instance of choice, by number or name", () => {
    for (const to of ["3", "redis-instance-3"]) {
      const plan = planSwitchover(calm, to);
      assert.ok(plan.kind === "go");
      assert.equal(plan.heir.name, "redis-instance-3");
      assert.equal(plan.master.name, "redis-instance-1");
    }
  });

  it("goes to the first that can have it when none is named", () => {
    const first = planSwitchover(calm, undefined);
    assert.ok(first.kind === "go");
    assert.equal(first.heir.name, "redis-instance-2");
    const other = planSwitchover({ ...calm, ...two("master_link_status:down") }, undefined);
    assert.ok(other.kind === "go");
    assert.equal(other.heir.name, "redis-instance-3");
  });

  const refusals: readonly (readonly [
    why: string,
    seen: Partial<Observation>,
    to: string | undefined,
    reason: RegExp,
  ])[] = [
    ["unknown", {}, "4", /no instance '4': use one of redis-instance-1, redis-instance-2, redis-instance-3/],
    ["the master already", {}, "1", /redis-instance-1 is the master already/],
    ["down", { redis: replaced(calm.redis, down) }, "2", /doesn't answer: connect ECONNREFUSED/],
    ["not in sync", two("master_link_status:down"), "2", /not in sync/],
    [
      "a replica of another one",
      two("master_host:svc-redis-instance-3"),
      "2",
      /follows svc-redis-instance-3:6379/,
    ],
    ["far behind", two("slave_repl_offset:1", "master_repl_offset:1"), "2", /is 9999999 bytes behind/],
    [
      "kept from leading",
      { redis: replaced(calm.redis, sampleRedis(2, [], { priority: "0" })) },
      "2",
      /must not be promoted/,
    ],
    ["unable to write its append-only file", two("aof_last_write_status:err"), "2", /append-only file/],
    ["too small", two("maxmemory:5000000"), "2", /maxmemory of 5000000 bytes, and the master uses 10000000/],
    [
      "unknown to the Sentinels as a replica",
      sentinels({ replica: { "slave-priority": "0" } }),
      "2",
      /not one that any Sentinel/,
    ],
    [
      "asked for during a failover",
      sentinels({ master: { flags: "master,failover_in_progress" } }),
      "2",
      /a failover is under way/,
    ],
    [
      "asked for without a quorum",
      sentinels({ other: { flags: "sentinel,disconnected" } }),
      "2",
      /only 0 of 3 Sentinels reach a quorum and act, 2 are needed/,
    ],
    [
      "asked for while most Sentinels are in TILT",
      { sentinels: [1, 2, 3].map((n) => sampleSentinel(n, n === 3 ? {} : { info: ["sentinel_tilt:1"] })) },
      "2",
      /only 1 of 3 Sentinels reach a quorum and act/,
    ],
    [
      "asked for without a master",
      { sentinels: [1, 2, 3].map((n) => sampleSentinel(n, { names: n })) },
      "2",
      /no master: the Sentinels disagree/,
    ],
    [
      "for nobody, since nobody can",
      { redis: [sampleRedis(1), ...[2, 3].map((n) => sampleRedis(n, ["master_link_status:down"]))] },
      undefined,
      /redis-instance-2 is not in sync.*redis-instance-3 is not in sync/,
    ],
  ];
  for (const [why, seen, to, reason] of refusals) {
    it(`is refused when the instance is ${why}`, () => {
      const lead = why === "far behind" ? [sampleRedis(1, ["master_repl_offset:10000000"])] : [];
      const redis = lead.reduce((all, one) => replaced(all, one), [...(seen.redis ?? calm.redis)]);
      const plan = planSwitchover({ ...calm, ...seen, redis }, to);
      assert.ok(plan.kind === "refuse", JSON.stringify(plan));
      assert.match(plan.reason, reason);
    });
  }
});
