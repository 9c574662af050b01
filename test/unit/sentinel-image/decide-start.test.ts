import assert from "node:assert/strict";
import { agree } from "../../../quorum/agreement.ts";
import {
  decideStart,
  failoverPatienceMs,
  type PeerView,
  type StartObservation,
} from "../../../sentinel-image/decide-start.ts";
import { instance, view } from "../../support/sentinel-views.ts";

const master = (index: number): PeerView => ({
  address: instance(index),
  role: "master",
  hasData: true,
  promotable: false,
});
const replica = (index: number, seen: Partial<PeerView> = {}): PeerView => ({
  address: instance(index),
  role: "replica",
  hasData: true,
  promotable: true,
  ...seen,
});
const empty = { hasData: false, promotable: false };

const everybodyNames = (index: number, epoch: number, flags?: readonly string[]) =>
  [1, 2, 3].map((sentinel) => view(sentinel, index, epoch, flags));

const failingOver = [
  view(1, 1, 0, ["master", "o_down", "failover_in_progress"]),
  view(2, 1, 0),
  view(3, 1, 0),
];

interface Row {
  /** Letter of the scenario in the research on reliability, section 2. */
  readonly name: string;
  readonly self: number;
  readonly seen: Partial<Omit<StartObservation, "self">>;
  readonly decision:
    | "lead"
    | `follow ${number}`
    | "wait"
    | "wait for a failover"
    | "wait and ask for a failover";
  readonly because?: RegExp;
}

const rows: readonly Row[] = [
  {
    name: "A: instance 2 restarts sooner than it is seen down, after a failover from 1: it leads, and no ring forms",
    self: 2,
    seen: { views: everybodyNames(2, 1), peers: [replica(1), replica(3)], hasData: true },
    decision: "lead",
  },
  {
    name: "A: the old master 1 follows 2 meanwhile",
    self: 1,
    seen: { views: everybodyNames(2, 1), peers: [replica(3)], hasData: true },
    decision: "follow 2",
  },
  {
    name: "B: the old master comes back after a failover: a replica, whatever its data",
    self: 1,
    seen: { views: everybodyNames(2, 1), peers: [master(2), replica(3)], hasData: true },
    decision: "follow 2",
  },
  {
    name: "B: it comes back while only the failover's leader knows the new master",
    self: 1,
    seen: { views: [view(1, 2, 1), view(2, 1, 0), view(3, 1, 0)], peers: [master(2)], hasData: true },
    decision: "wait",
    because: /newer than the majority/,
  },
  {
    name: "B: it comes back between the promotion and its announcement",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [master(2), replica(3)], hasData: true },
    decision: "wait",
    because: /redis-2:6379 is a master/,
  },
  {
    name: "C: instance 1 comes back in a partition without any Sentinel",
    self: 1,
    seen: { views: [], peers: [replica(2), replica(3)], hasData: true },
    decision: "wait",
    because: /0 of 3 Sentinels answer/,
  },
  {
    name: "C: it reaches one Sentinel only",
    self: 1,
    seen: { views: [view(1, 1, 0)], peers: [], hasData: true },
    decision: "wait",
    because: /1 of 3 Sentinels answer/,
  },
  {
    name: "D: the master restarts with an empty volume: it never leads, another must",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [replica(2), replica(3)], hasData: false },
    decision: "wait and ask for a failover",
    because: /the volume is empty but redis-2:6379 has data/,
  },
  {
    name: "D: only one of the others has data",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [replica(2, empty), replica(3)], hasData: false },
    decision: "wait and ask for a failover",
    because: /redis-3:6379 has data/,
  },
  {
    name: "D: a failover is on its way already: no second request",
    self: 1,
    seen: {
      views: everybodyNames(1, 0, ["master", "s_down", "o_down", "failover_in_progress"]),
      peers: [replica(2), replica(3)],
      hasData: false,
    },
    decision: "wait",
  },
  {
    name: "D: an empty volume, and one instance that may hold the data doesn't answer",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [replica(2, empty)], hasData: false },
    decision: "wait",
    because: /only 1 of 2 other instances answer/,
  },
  {
    name: "D: the empty one is no master: it follows and copies",
    self: 3,
    seen: { views: everybodyNames(1, 0), peers: [master(1)], hasData: false },
    decision: "follow 1",
  },
  {
    name: "F: all restart at once: the named instance leads although nobody else answers yet",
    self: 2,
    seen: { views: everybodyNames(2, 7, ["master", "s_down", "disconnected"]), peers: [], hasData: true },
    decision: "lead",
  },
  {
    name: "F: all restart at once: instance 1 is nothing special",
    self: 1,
    seen: { views: everybodyNames(2, 7, ["master", "s_down", "disconnected"]), peers: [], hasData: true },
    decision: "follow 2",
  },
  {
    name: "G: one Sentinel lost its state and names instance 1 at epoch 0",
    self: 1,
    seen: { views: [view(1, 1, 0), view(2, 2, 7), view(3, 2, 7)], peers: [master(2)], hasData: true },
    decision: "follow 2",
  },
  {
    name: "H: all Sentinels lost their state and name instance 1, which is empty, while another has data",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [replica(2), replica(3)], hasData: false },
    decision: "wait and ask for a failover",
  },
  {
    name: "first start: instance 1 is named, all are empty",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [replica(2, empty), replica(3, empty)], hasData: false },
    decision: "lead",
  },
  {
    name: "first start: the others follow",
    self: 2,
    seen: { views: everybodyNames(1, 0), peers: [], hasData: false },
    decision: "follow 1",
  },
  {
    name: "a failover of this instance runs and a replica could win it: it waits for the outcome",
    self: 1,
    seen: { views: failingOver, peers: [replica(2), replica(3)], hasData: true },
    decision: "wait for a failover",
    because: /sentinel-1:26379 is failing this instance over/,
  },
  {
    name: "a failover of this instance runs and the replica that could win it may be the silent one",
    self: 1,
    seen: { views: failingOver, peers: [replica(2, { promotable: false })], hasData: true },
    decision: "wait for a failover",
  },
  {
    name: "I: a failover that no replica may win, since none has finished a sync: it leads",
    self: 1,
    seen: {
      views: failingOver,
      peers: [replica(2, { promotable: false }), replica(3, { promotable: false })],
      hasData: true,
    },
    decision: "lead",
  },
  {
    name: "a failover that doesn't come to an end: it leads after its patience",
    self: 1,
    seen: {
      views: failingOver,
      peers: [replica(2), replica(3)],
      hasData: true,
      expectedFailoverForMs: failoverPatienceMs,
    },
    decision: "lead",
  },
  {
    name: "the Sentinels disagree",
    self: 1,
    seen: { views: [view(1, 1, 4), view(2, 2, 4), view(3, 3, 4)], peers: [replica(2)], hasData: true },
    decision: "wait",
    because: /disagree/,
  },
];

describe("decideStart", () => {
  for (const { name, self, seen, decision, because } of rows) {
    it(name, () => {
      const found = decideStart({
        self: instance(self),
        agreement: agree(seen.views ?? [], { sentinelCount: 3 }),
        views: [],
        peerCount: 2,
        peers: [],
        hasData: false,
        expectedFailoverForMs: 0,
        ...seen,
      });
      switch (found.kind) {
        case "lead":
          assert.equal("lead", decision);
          break;
        case "follow":
          assert.equal(`follow ${found.master.host.replace("redis-", "")}`, decision);
          break;
        case "wait":
          assert.equal(
            found.needsFailover
              ? "wait and ask for a failover"
              : found.expectsFailover
                ? "wait for a failover"
                : "wait",
            decision,
          );
          assert.match(found.reason, because ?? /./);
      }
    });
  }
});
