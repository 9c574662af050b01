import assert from "node:assert/strict";
import { examine } from "../../../../cli/operate/doctor.ts";
import { describeMove } from "../../../../cli/operate/move/move-command.ts";
import { planBackOut, planCutOver, reportMove } from "../../../../cli/operate/move/plan-move.ts";
import type { Observation } from "../../../../cli/operate/observation.ts";
import { reportStatus } from "../../../../cli/operate/status-report.ts";
import {
  moveSource,
  noted,
  replaced,
  sampleFollowing,
  sampleMove,
  sampleObservation,
  sampleRedis,
} from "../../../support/observations.ts";

const source = moveSource;
const moving = sampleMove();
const moved = sampleObservation({ redis: [1, 2, 3].map((n) => noted(sampleRedis(n), "moved")) });

describe("a move", () => {
  it("may be cut over by the instance that the Sentinels name, when all are in sync", () => {
    const plan = planCutOver(moving);
    assert.ok(plan.kind === "go");
    assert.deepEqual([plan.heir.name, plan.source], ["redis-instance-1", source]);
    const { state, obstacle } = reportMove(moving);
    assert.deepEqual([state, obstacle], ["following", undefined]);
    assert.match(describeMove(reportMove(moving)), /10\.0\.0\.9:6379 is the master; the cut-over may begin/);
  });

  const obstacles: readonly (readonly [why: string, seen: Observation, reason: RegExp])[] = [
    [
      "one has no link",
      { ...moving, redis: replaced(moving.redis, sampleFollowing(3, ["master_link_status:down"])) },
      /^redis-instance-3: replica of 10\.0\.0\.9:6379, without a link$/,
    ],
    [
      "one copies",
      {
        ...moving,
        redis: replaced(
          moving.redis,
          sampleFollowing(2, [
            "master_link_status:down",
            "master_sync_in_progress:1",
            `master_sync_left_bytes:${5 * 2 ** 20}`,
          ]),
        ),
      },
      /^redis-instance-2: replica of 10\.0\.0\.9:6379, copying, 5 MiB left$/,
    ],
    [
      "one follows somebody else",
      { ...moving, redis: replaced(moving.redis, sampleFollowing(2, ["master_host:10.0.0.8"])) },
      /redis-instance-2: replica of 10\.0\.0\.8:6379, and not of 10\.0\.0\.9:6379, in sync/,
    ],
    ["the Sentinels agree on nobody", { ...moving, sentinels: [] }, /agree on nobody/],
    ["it is over", moved, /have been taken over already/],
    ["there is none", sampleObservation(), /set move:source/],
  ];
  for (const [why, seen, reason] of obstacles) {
    it(`can't be cut over when ${why}`, () => {
      const plan = planCutOver(seen);
      assert.ok(plan.kind === "refuse");
      assert.match(plan.reason, reason);
    });
  }

  it("can be backed out as long as no instance is cut over", () => {
    const plan = planBackOut(moving);
    assert.ok(typeof plan !== "string");
    assert.deepEqual(
      plan.map(({ name }) => name),
      ["redis-instance-1", "redis-instance-2", "redis-instance-3"],
    );
    const some = planBackOut({ ...moving, redis: replaced(moving.redis, noted(sampleRedis(1), "moved")) });
    assert.match(String(some), /redis-instance-1 has been cut over/);
    assert.match(String(planBackOut(moved)), /have been cut over/);
    assert.match(String(planBackOut(sampleObservation())), /no instance follows/);
  });

  it("is well while it lasts, for status and doctor: nobody has to be woken because there is no failover", () => {
    const { healthy, movingFrom, noMaster, redis } = reportStatus(moving);
    assert.deepEqual([healthy, movingFrom], [true, source]);
    assert.match(noMaster, /10\.0\.0\.9:6379 is the master until redis-ha move cut-over/);
    assert.deepEqual(new Set(redis.map(({ state }) => state)), new Set([`replica of ${source}, in sync`]));
    const findings = examine(moving).filter(({ check }) => check !== "version-floor");
    assert.deepEqual(
      findings.map(({ check, severity }) => [check, severity]),
      [["move-under-way", "note"]],
    );
  });

  it("is not well when an instance has lost the other one", () => {
    const seen = {
      ...moving,
      redis: replaced(moving.redis, sampleFollowing(3, ["master_link_status:down"])),
    };
    assert.equal(reportStatus(seen).healthy, false);
    assert.deepEqual(
      examine(seen)
        .filter(({ severity }) => severity === "error")
        .map(({ check, subject }) => [check, subject]),
      [["move-not-in-sync", "redis-instance-3"]],
    );
  });

  it("is nothing special once it is over", () => {
    assert.deepEqual(reportStatus(moved).movingFrom, undefined);
    assert.equal(reportStatus(moved).healthy, true);
    assert.equal(reportMove(moved).state, "moved");
  });
});
