import assert from "node:assert/strict";
import { describeStatus } from "../../../../cli/operate/describe-status.ts";
import type { Observation } from "../../../../cli/operate/observation.ts";
import { readRedis, readSentinel } from "../../../../cli/operate/read-replies.ts";
import { reportStatus } from "../../../../cli/operate/status-report.ts";
import {
  replaced,
  sampleObservation,
  sampleProxy,
  sampleRedis,
  sampleSentinel,
} from "../../../support/observations.ts";

const calm = sampleObservation();
const silentRedis = readRedis(
  { name: "redis-instance-2", address: { host: "svc-redis-instance-2", port: 6379 } },
  new Error("connect ECONNREFUSED"),
  {},
);

describe("the status of a topology", () => {
  it("is healthy when all is well, and says who leads at which epoch", () => {
    const report = reportStatus(calm);
    assert.equal(report.healthy, true, describeStatus(report));
    assert.deepEqual(report.master, {
      name: "redis-instance-1",
      address: "svc-redis-instance-1:6379",
      epoch: 3,
    });
    assert.equal(report.redis[1]?.behindBytes, 0);
    assert.equal(report.sentinels[0]?.ckquorum, true);
    assert.equal(report.proxies[0]?.clients, 7);
  });

  const ill: readonly (readonly [what: string, seen: Partial<Observation>, part: string, state: RegExp])[] = [
    [
      "a Redis that doesn't answer",
      { redis: replaced(calm.redis, silentRedis) },
      "redis-instance-2",
      /ECONNREFUSED/,
    ],
    [
      "a replica without a link",
      { redis: replaced(calm.redis, sampleRedis(3, ["master_link_status:down"])) },
      "redis-instance-3",
      /without a link/,
    ],
    [
      "a replica of another one",
      { redis: replaced(calm.redis, sampleRedis(3, ["master_host:svc-redis-instance-2"])) },
      "redis-instance-3",
      /which isn't the master/,
    ],
    [
      "a replica that must not be promoted",
      { redis: replaced(calm.redis, sampleRedis(3, [], { priority: "0" })) },
      "redis-instance-3",
      /must not be promoted/,
    ],
    [
      "a second master",
      { redis: replaced(calm.redis, sampleRedis(2, ["role:master", "connected_slaves:0"])) },
      "redis-instance-2",
      /the Sentinels don't name it/,
    ],
    [
      "a master that lacks a replica",
      { redis: replaced(calm.redis, sampleRedis(1, ["connected_slaves:1"])) },
      "redis-instance-1",
      /1 of 2 replicas/,
    ],
    [
      "a Sentinel that names another master",
      {
        sentinels: replaced(calm.sentinels, sampleSentinel(3, { names: 2, master: { "config-epoch": "2" } })),
      },
      "redis-sentinel-3",
      /names svc-redis-instance-2/,
    ],
    [
      "a Sentinel in TILT",
      { sentinels: replaced(calm.sentinels, sampleSentinel(3, { info: ["sentinel_tilt:1"] })) },
      "redis-sentinel-3",
      /in TILT/,
    ],
    [
      "a Sentinel that reaches no other one",
      {
        sentinels: replaced(calm.sentinels, sampleSentinel(3, { other: { flags: "sentinel,disconnected" } })),
      },
      "redis-sentinel-3",
      /reaches 1 of 3, quorum 2 NOT reachable/,
    ],
    [
      "a Sentinel that knows one too many",
      {
        sentinels: replaced(
          calm.sentinels,
          sampleSentinel(3, {
            more: [["ip", "svc-redis-sentinel-4", "port", "26379", "flags", "s_down,sentinel"]],
          }),
        ),
      },
      "redis-sentinel-3",
      /knows 4 Sentinels/,
    ],
    [
      "a Sentinel that couldn't promote anybody",
      {
        sentinels: replaced(calm.sentinels, sampleSentinel(3, { replica: { "master-link-status": "err" } })),
      },
      "redis-sentinel-3",
      /could promote 0 of 2/,
    ],
    [
      "a proxy that isn't ready",
      { proxies: [sampleProxy({}, "no master")] },
      "redis-sentinel-proxy-1",
      /no master/,
    ],
  ];
  for (const [what, seen, name, state] of ill) {
    it(`isn't healthy with ${what}, and names it`, () => {
      const report = reportStatus({ ...calm, ...seen });
      assert.equal(report.healthy, false);
      const part = [...report.redis, ...report.sentinels, ...report.proxies].find((one) => one.name === name);
      assert.equal(part?.healthy, false);
      assert.match(part.state, state);
      assert.match(describeStatus(report), new RegExp(`^NO +${name} `, "m"));
    });
  }

  it("has no master while the Sentinels disagree, and says why", () => {
    const sentinels = [1, 2, 3].map((n) => sampleSentinel(n, { names: n }));
    const report = reportStatus({ ...calm, sentinels });
    assert.equal(report.master, undefined);
    assert.match(describeStatus(report), /^No master: the Sentinels disagree/);
  });

  it("has no master when the one that is named isn't one", () => {
    const redis = replaced(calm.redis, sampleRedis(1, ["role:slave", "master_host:svc-redis-instance-2"]));
    assert.match(
      reportStatus({ ...calm, redis }).noMaster,
      /name svc-redis-instance-1:6379, which isn't one/,
    );
  });

  it("tells that a failover is under way", () => {
    const sentinels = replaced(
      calm.sentinels,
      sampleSentinel(2, { master: { flags: "master,s_down,o_down,failover_in_progress" } }),
    );
    const report = reportStatus({ ...calm, sentinels });
    assert.equal(report.failoverUnderWay, true);
    assert.equal(report.healthy, false);
  });

  it("knows a Sentinel that has another name for the master", () => {
    const replies = [
      null,
      new Error("ERR No such master with that name"),
      [],
      [],
      "id",
      "# Sentinel\r\nsentinel_tilt:0",
    ];
    const seen = readSentinel({ name: "redis-sentinel-1", address: { host: "s", port: 1 } }, replies);
    assert.match(seen.problem ?? "", /doesn't know the master: ERR No such master/);
  });
});
