import assert from "node:assert/strict";
import { type Mark, type PartView, viewTopology } from "../../../../cli/console/console-state.ts";
import type { Observation } from "../../../../cli/operate/observation.ts";
import { readRedis } from "../../../../cli/operate/read-replies.ts";
import {
  redisAddress,
  replaced,
  sampleObservation,
  sampleProxy,
  sampleRedis,
  sampleSentinel,
} from "../../../support/observations.ts";

const calm = sampleObservation();
const silent = readRedis({ name: "redis-instance-2", address: redisAddress(2) }, new Error("refused"), {});

function view(seen: Observation, marks: Readonly<Record<string, Mark>> = {}) {
  const state = viewTopology(seen, { of: (name) => marks[name] });
  return {
    ...state,
    part: (name: string): PartView => {
      const found = state.parts.find((part) => part.name === name);
      assert.ok(found, name);
      return found;
    },
  };
}

describe("what the console shows", () => {
  it("is who leads, and where each part points, by names", () => {
    const { headline, epoch, healthy, part } = view(calm);
    assert.equal(headline, "redis-instance-1 leads. All is well.");
    assert.deepEqual([epoch, healthy], [3, true]);
    for (const name of ["redis-instance-2", "redis-instance-3", "redis-sentinel-1", "redis-sentinel-proxy-1"])
      assert.deepEqual([name, part(name).points, part(name).linked], [name, "redis-instance-1", true]);
    assert.match(part("redis-instance-2").state, /^replica of redis-instance-1, in sync$/);
    assert.deepEqual(part("redis-instance-2").facts[0], ["offset", "5000"]);
  });

  it("lays a replica that is away at its own door, not at that of everybody who misses it", () => {
    const seen = sampleObservation({
      redis: replaced(calm.redis, silent),
      sentinels: [1, 2, 3].map((n) => sampleSentinel(n, { replica: { flags: "slave,s_down,disconnected" } })),
    });
    const { headline, parts } = view(seen, { "redis-instance-2": "ended" });
    assert.equal(headline, "redis-instance-1 leads. Not every part is well.");
    assert.deepEqual(
      parts.filter(({ healthy }) => !healthy).map(({ name, mark }) => [name, mark]),
      [["redis-instance-2", "ended"]],
    );
  });

  it("shows a Sentinel that disagrees, a broken link, and a proxy without a master", () => {
    const seen = sampleObservation({
      redis: replaced(calm.redis, sampleRedis(3, ["master_link_status:down"])),
      sentinels: replaced(calm.sentinels, sampleSentinel(2, { names: 3 })),
      proxies: [sampleProxy({ redis_ha_proxy_following: 0 })],
    });
    const { part } = view(seen);
    const of = (name: string) => [part(name).points, part(name).linked];
    assert.deepEqual(of("redis-instance-3"), ["redis-instance-1", false]);
    assert.deepEqual(of("redis-sentinel-2"), ["redis-instance-3", false]);
    assert.deepEqual(of("redis-sentinel-proxy-1"), [undefined, false]);
  });

  it("offers what can be done now: a killed part can only be restored, a master isn't handed its own role", () => {
    const seen = sampleObservation({ redis: replaced(calm.redis, silent) });
    const { part } = view(seen, { "redis-instance-2": "ended", "redis-sentinel-3": "cut off" });
    assert.deepEqual(part("redis-instance-1").actions, ["kill", "freeze", "cut-off", "empty"]);
    assert.deepEqual(part("redis-instance-3").actions, ["kill", "freeze", "cut-off", "hand-over", "empty"]);
    assert.deepEqual(part("redis-instance-2").actions, ["restore"]);
    assert.deepEqual(part("redis-sentinel-3").actions, ["restore"]);
  });

  it("offers nothing on a stack but to hand the role over", () => {
    const state = viewTopology({ ...calm, namespace: "redis-ha-dev" }, undefined);
    assert.deepEqual([state.of, state.readOnly], ["namespace redis-ha-dev", true]);
    assert.deepEqual(
      state.parts.flatMap(({ name, actions }) => actions.map((action) => [name, action])),
      [
        ["redis-instance-2", "hand-over"],
        ["redis-instance-3", "hand-over"],
      ],
    );
  });
});
