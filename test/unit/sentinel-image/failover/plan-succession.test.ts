import assert from "node:assert/strict";
import type { Agreement } from "../../../../quorum/agreement.ts";
import type { PromotionForecast } from "../../../../sentinel-image/failover/forecast-promotion.ts";
import {
  type CopyState,
  type PeerCopy,
  planSuccession,
  type SuccessionObservation,
  successionMs,
} from "../../../../sentinel-image/failover/plan-succession.ts";
import { readCopy } from "../../../../sentinel-image/failover/succession.ts";
import { instance, view } from "../../../support/sentinel-views.ts";

const agreedOn = (index: number): Agreement => ({
  kind: "agreed",
  master: instance(index),
  configEpoch: 3,
  votes: 2,
});
/** A replica of instance 1 that has lost its link. */
const read: Extract<CopyState, { role: "replica" }> = {
  role: "replica",
  master: instance(1),
  linkUp: false,
  offset: 1000,
  promotable: true,
};
const peer = (index: number, copy: PeerCopy["copy"] = read): PeerCopy => ({ address: instance(index), copy });
const sentinel = (index: number) => view(index, 1, 3).sentinel;
/** A Sentinel would promote this instance, by what it knew of its data. */
const forecast = (
  index: number,
  replica: number,
  offset: number,
  candidates = [2, 3],
): PromotionForecast => ({
  sentinel: sentinel(index),
  replica: instance(replica),
  priority: 100,
  offset,
  candidates: candidates.map(instance),
});

/** Instance 1 was the master and its server is dead; both replicas have read everything, and are known by what they were a moment before. */
const ordinary: SuccessionObservation = {
  self: instance(1),
  forMs: 20,
  agreement: agreedOn(1),
  attached: [instance(2), instance(3)],
  peers: [peer(2), peer(3)],
  forecasts: [forecast(1, 2, 900), forecast(2, 3, 950), forecast(3, 2, 990)],
};
const behind = { ...read, offset: 990 };

const rows: readonly (readonly [
  name: string,
  seen: Partial<SuccessionObservation>,
  expected: "wait" | "end" | readonly number[],
])[] = [
  ["asks any Sentinel when both replicas have the same data", {}, [1, 2, 3]],
  ["waits for a replica that still reads", { peers: [peer(2), peer(3, { ...read, linkUp: true })] }, "wait"],
  [
    "waits for a replica that doesn't answer: it may have the most",
    { peers: [peer(2), peer(3, "silent")] },
    "wait",
  ],
  [
    "doesn't wait for a silent one that wasn't connected any more",
    { attached: [instance(2)], peers: [peer(2), peer(3, "silent")], forecasts: [forecast(1, 2, 900, [2])] },
    [1],
  ],
  [
    "nor for one that is gone",
    { peers: [peer(2), peer(3, "gone")], forecasts: [forecast(1, 2, 900, [2])] },
    [1],
  ],
  [
    "asks only a Sentinel that knows the replica with the most data",
    { peers: [peer(2), peer(3, behind)], forecasts: [forecast(1, 2, 1000), forecast(2, 3, 990)] },
    [1],
  ],
  [
    "not one whose choice may change: it knows the right one, but not yet how far it is",
    { peers: [peer(2), peer(3, behind)], forecasts: [forecast(1, 2, 900)] },
    "wait",
  ],
  [
    "not one that may still choose a replica of whom nothing is known",
    { attached: [instance(2)], peers: [peer(2), peer(3, "silent")], forecasts: [forecast(1, 2, 900)] },
    "wait",
  ],
  [
    "never the one that may not be promoted",
    { peers: [peer(2, { ...read, promotable: false }), peer(3)], forecasts: [forecast(1, 2, 900)] },
    "wait",
  ],
  [
    "waits for an agreement: behind a partition there would be two masters",
    { agreement: { kind: "none", reason: "" } },
    "wait",
  ],
  ["leaves it when the Sentinels name another master", { agreement: agreedOn(2) }, "end"],
  ["leaves it when another one is the master", { peers: [peer(2, { role: "master" }), peer(3)] }, "end"],
  ["ends at once without a replica", { attached: [], peers: [peer(2, "gone"), peer(3, "gone")] }, "end"],
  [
    "and with replicas of somebody else only",
    { peers: [peer(2, { ...read, master: instance(3) }), peer(3, "gone")] },
    "end",
  ],
  ["waits while the Sentinels have nobody to promote", { forecasts: [] }, "wait"],
  [
    "leaves it to the Sentinels when a replica reads for too long",
    { forMs: successionMs, peers: [peer(2), peer(3, { ...read, linkUp: true })] },
    "end",
  ],
  [
    "and when one is silent for too long",
    { forMs: successionMs, peers: [peer(2), peer(3, "silent")] },
    "end",
  ],
  ["and when nobody knows the right one in time", { forMs: successionMs, forecasts: [] }, "end"],
  ["still asks when everything is right at last", { forMs: successionMs }, [1, 2, 3]],
];

describe("planSuccession", () => {
  for (const [name, seen, expected] of rows) {
    it(name, () => {
      const step = planSuccession({ ...ordinary, ...seen });
      if (typeof expected === "string") assert.equal(step.kind, expected, JSON.stringify(step));
      else assert.deepEqual(step, { kind: "ask", sentinels: expected.map(sentinel) });
    });
  }
});

describe("readCopy", () => {
  const lines = [
    "# Replication",
    "role:slave",
    "master_host:redis-1",
    "master_port:6379",
    "master_link_status:down",
    "slave_repl_offset:1000",
    "slave_priority:100",
  ];
  it("reads a replica's", () => assert.deepEqual(readCopy(lines.join("\r\n")), read));
  it("reads a master's", () => assert.deepEqual(readCopy("role:master\r\n"), { role: "master" }));
  it("reads one that may not be promoted, and still reads", () => {
    const text = lines.join("\r\n").replace("status:down", "status:up").replace("priority:100", "priority:0");
    assert.deepEqual(readCopy(text), { ...read, linkUp: true, promotable: false });
  });
});
