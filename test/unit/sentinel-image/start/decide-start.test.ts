import assert from "node:assert/strict";
import { agree, type SentinelView } from "../../../../quorum/agreement.ts";
import {
  agreementPatienceMs,
  decideStart,
  doubtPatienceMs,
  failoverPatienceMs,
  findTrouble,
  isDisputed,
  lonelyPatienceMs,
  type PeerView,
  type StartObservation,
  stalledPatienceMs,
  successorPatienceMs,
} from "../../../../sentinel-image/start/decide-start.ts";
import type { OwnCopy } from "../../../../sentinel-image/start/last-state.ts";
import { instance, view } from "../../../support/sentinel-views.ts";

const master = (index: number): PeerView => ({
  address: instance(index),
  role: "master",
  hasData: true,
  promotable: false,
  replicas: 0,
  heartbeat: undefined,
});
const replica = (index: number, seen: Partial<PeerView> = {}): PeerView => ({
  address: instance(index),
  role: "replica",
  hasData: true,
  promotable: true,
  replicas: 0,
  heartbeat: undefined,
  ...seen,
});
/** A master that takes writes. */
const working = (index: number): PeerView => ({
  ...master(index),
  replicas: 1,
  heartbeat: { epoch: 1, ms: 5000 },
});
const copy = (epoch: number, ms: number, crashed = false): OwnCopy => ({ heartbeat: { epoch, ms }, crashed });
const empty = { hasData: false, promotable: false };

const everybodyNames = (index: number, epoch: number, flags?: readonly string[]) =>
  [1, 2, 3].map((sentinel) => view(sentinel, index, epoch, flags));

const failingOver = [
  view(1, 1, 0, ["master", "o_down", "failover_in_progress"]),
  view(2, 1, 0),
  view(3, 1, 0),
];

/** All name instance 1, which hasn't answered them for so long. */
const silentFor = (...ms: readonly [number, number, number]) =>
  ms.map((silentMs, i) => ({
    ...view(i + 1, 1, 1),
    silentMs,
    settings: { quorum: 2, downAfterMs: 1000, failoverTimeoutMs: 6000, parallelSyncs: 2 },
  }));

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

/** A failover made instance 2 the master, only its leader knows that, and a majority has overruled it for long enough. */
const overruled = {
  views: [view(1, 2, 4), view(2, 1, 3), view(3, 1, 3)],
  agreement: agree(everybodyNames(1, 3), { sentinelCount: 3 }),
};
/** What instance 1 noted when it had handed its role to instance 2. */
const handedOver: OwnCopy = { ...copy(3, 1000), followed: instance(2) };
const named = { views: everybodyNames(1, 3), hasData: true };

const rows: readonly Row[] = [
  {
    name: "it has handed its role to 2, no Sentinel lived to note that, and 2 doesn't answer yet",
    self: 1,
    seen: { ...named, peers: [replica(3)], copy: handedOver },
    decision: "wait",
    because: /redis-2:6379, which it followed when it ended, may have newer data and doesn't answer/,
  },
  {
    name: "the same, alone",
    self: 1,
    seen: { ...named, peers: [], copy: handedOver, askingForMs: successorPatienceMs - 1 },
    decision: "wait",
  },
  {
    name: "the same, and 2 is back with what it was given since",
    self: 1,
    seen: { ...named, peers: [replica(2, { heartbeat: { epoch: 4, ms: 1001 } })], copy: handedOver },
    decision: "wait and ask for a failover",
    because: /older than another copy: redis-2:6379/,
  },
  {
    name: "the same, and 2 is back without anything newer",
    self: 1,
    seen: { ...named, peers: [replica(2, { heartbeat: { epoch: 3, ms: 1000 } })], copy: handedOver },
    decision: "lead",
  },
  {
    name: "the same, and 2 doesn't come back",
    self: 1,
    seen: { ...named, peers: [replica(3)], copy: handedOver, askingForMs: successorPatienceMs },
    decision: "lead",
  },
  {
    name: "the same, and 2 was a master until a moment ago: it has to end, and to start again",
    self: 1,
    seen: {
      ...named,
      peers: [replica(3)],
      copy: handedOver,
      askingForMs: successorPatienceMs,
      leaderlessForMs: 200,
    },
    decision: "wait",
  },
  {
    name: "the same with a quorum, and a majority of the copies isn't there however long it waits",
    self: 1,
    seen: { ...named, peers: [], copy: handedOver, quorum: true, askingForMs: 10 * successorPatienceMs },
    decision: "wait",
  },
  {
    name: "the same with a quorum and a majority of the copies",
    self: 1,
    seen: {
      ...named,
      peers: [replica(3)],
      copy: handedOver,
      quorum: true,
      askingForMs: successorPatienceMs,
    },
    decision: "lead",
  },
  {
    name: "a failover's leader is overruled by the others, and the one that it names doesn't answer yet",
    self: 1,
    seen: { ...overruled, hasData: true, peers: [replica(3)], copy: copy(3, 1000), askingForMs: 6000 },
    decision: "wait",
    because: /redis-2:6379, which sentinel-1:26379 names at a newer epoch, may have newer data/,
  },
  {
    name: "a failover's leader is overruled by the others, and the one that it names has nothing newer",
    self: 1,
    seen: { ...overruled, hasData: true, peers: [replica(2)], copy: copy(3, 1000), askingForMs: 6000 },
    decision: "lead",
  },
  {
    name: "scenario A: instance 2 restarts sooner than it is seen down, after a failover from 1: it leads, and no ring forms",
    self: 2,
    seen: { views: everybodyNames(2, 1), peers: [replica(1), replica(3)], hasData: true },
    decision: "lead",
  },
  {
    name: "scenario A: the old master 1 follows 2 meanwhile",
    self: 1,
    seen: { views: everybodyNames(2, 1), peers: [replica(3)], hasData: true },
    decision: "follow 2",
  },
  {
    name: "scenario B: the old master comes back after a failover: a replica, whatever its data",
    self: 1,
    seen: { views: everybodyNames(2, 1), peers: [master(2), replica(3)], hasData: true },
    decision: "follow 2",
  },
  {
    name: "scenario B: it comes back while only the failover's leader knows the new master",
    self: 1,
    seen: { views: [view(1, 2, 1), view(2, 1, 0), view(3, 1, 0)], peers: [master(2)], hasData: true },
    decision: "wait",
    because: /newer than the majority/,
  },
  {
    name: "scenario B: it comes back between the promotion and its announcement",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [master(2), replica(3)], hasData: true },
    decision: "wait",
    because: /redis-2:6379 is a master/,
  },
  {
    name: "scenario C: instance 1 comes back in a partition without any Sentinel",
    self: 1,
    seen: { views: [], peers: [replica(2), replica(3)], hasData: true },
    decision: "wait",
    because: /0 of 3 Sentinels answer/,
  },
  {
    name: "scenario C: it reaches one Sentinel only",
    self: 1,
    seen: { views: [view(1, 1, 0)], peers: [], hasData: true },
    decision: "wait",
    because: /1 of 3 Sentinels answer/,
  },
  {
    name: "scenario D: the master restarts with an empty volume: it never leads, another must",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [replica(2), replica(3)], hasData: false },
    decision: "wait and ask for a failover",
    because: /the volume is empty but redis-2:6379 has data/,
  },
  {
    name: "scenario D: only one of the others has data",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [replica(2, empty), replica(3)], hasData: false },
    decision: "wait and ask for a failover",
    because: /redis-3:6379 has data/,
  },
  {
    name: "without persistence it never leads either while another one has the data in memory",
    self: 1,
    seen: {
      views: everybodyNames(1, 0),
      peers: [replica(2, empty), replica(3)],
      persistent: false,
      askingForMs: 10 * doubtPatienceMs,
    },
    decision: "wait and ask for a failover",
    because: /redis-3:6379 has data/,
  },
  {
    name: "without persistence it waits for one that doesn't answer, which may have the data",
    self: 1,
    seen: {
      views: everybodyNames(1, 0),
      peers: [replica(2, empty)],
      persistent: false,
      askingForMs: doubtPatienceMs - 1,
    },
    decision: "wait",
    because: /only 1 of 2/,
  },
  {
    name: "without persistence it doesn't wait longer: the Sentinels would have chosen one that has data",
    self: 1,
    seen: {
      views: everybodyNames(1, 0),
      peers: [replica(2, empty)],
      persistent: false,
      askingForMs: doubtPatienceMs,
    },
    decision: "lead",
  },
  {
    name: "with persistence it waits for one that doesn't answer for ever",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [replica(2, empty)], askingForMs: 100 * doubtPatienceMs },
    decision: "wait",
    because: /only 1 of 2/,
  },
  {
    name: "scenario D: a failover is on its way already: no second request",
    self: 1,
    seen: {
      views: everybodyNames(1, 0, ["master", "s_down", "o_down", "failover_in_progress"]),
      peers: [replica(2), replica(3)],
      hasData: false,
    },
    decision: "wait",
  },
  {
    name: "scenario D: an empty volume, and one instance that may hold the data doesn't answer",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [replica(2, empty)], hasData: false },
    decision: "wait",
    because: /only 1 of 2 other instances answer/,
  },
  {
    name: "scenario D: the empty one is no master: it follows and copies",
    self: 3,
    seen: { views: everybodyNames(1, 0), peers: [master(1)], hasData: false },
    decision: "follow 1",
  },
  {
    name: "scenario F: all restart at once: the named instance leads although nobody else answers yet",
    self: 2,
    seen: { views: everybodyNames(2, 7, ["master", "s_down", "disconnected"]), peers: [], hasData: true },
    decision: "lead",
  },
  {
    name: "scenario F: all restart at once: instance 1 is nothing special",
    self: 1,
    seen: { views: everybodyNames(2, 7, ["master", "s_down", "disconnected"]), peers: [], hasData: true },
    decision: "follow 2",
  },
  {
    name: "scenario G: one Sentinel lost its state and names instance 1 at epoch 0",
    self: 1,
    seen: { views: [view(1, 1, 0), view(2, 2, 7), view(3, 2, 7)], peers: [master(2)], hasData: true },
    decision: "follow 2",
  },
  {
    name: "scenario H: all Sentinels lost their state and name instance 1, which is empty, while another has data",
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
    name: "scenario I: a failover that no replica may win, since none has finished a sync: it leads",
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
    name: "scenario B: it would be its own master's master: no answer names it for certain while another is one",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [master(2)], hasData: true, copy: copy(1, 9000) },
    decision: "wait",
    because: /redis-2:6379 is a master/,
  },
  {
    name: "scenario C: without Sentinels it follows the only master that works",
    self: 1,
    seen: { peers: [working(2)], hasData: true, copy: copy(1, 5000), askingForMs: agreementPatienceMs },
    decision: "follow 2",
  },
  {
    name: "scenario C: not before the Sentinels had time to agree",
    self: 1,
    seen: { peers: [working(2)], hasData: true, copy: copy(1, 5000), askingForMs: agreementPatienceMs - 1 },
    decision: "wait",
  },
  {
    name: "scenario C: not one of two masters",
    self: 1,
    seen: { peers: [working(2), working(3)], hasData: true, copy: copy(1, 5000), askingForMs: 60_000 },
    decision: "wait",
  },
  {
    name: "scenario C: not a master without a replica, which takes no writes",
    self: 1,
    seen: { peers: [master(2)], hasData: false, askingForMs: 60_000 },
    decision: "wait",
  },
  {
    name: "scenario C: not a master whose data are older than its own",
    self: 1,
    seen: { peers: [working(2)], hasData: true, copy: copy(2, 0), askingForMs: 60_000 },
    decision: "wait",
  },
  {
    name: "scenario C: not when it doesn't know how new its own data are",
    self: 1,
    seen: { peers: [working(2)], hasData: true, askingForMs: 60_000 },
    decision: "wait",
  },
  {
    name: "scenario D: the master's data are damaged, and another has them",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [replica(2), replica(3)], damaged: true },
    decision: "wait and ask for a failover",
    because: /damaged but redis-2:6379 has data/,
  },
  {
    name: "scenario D: damaged data that nobody else has are never replaced by none",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [replica(2, empty), replica(3, empty)], damaged: true },
    decision: "wait",
    because: /repair them with redis-check-aof/,
  },
  {
    name: "scenario E: the machine went down and a replica may have what this one lost",
    self: 1,
    seen: {
      views: everybodyNames(1, 0),
      peers: [replica(2, { heartbeat: { epoch: 1, ms: 8001 } })],
      hasData: true,
      copy: copy(1, 10_000, true),
    },
    decision: "wait and ask for a failover",
    because: /the machine went down .* redis-2:6379 has data/,
  },
  {
    name: "scenario E: the machine went down and the replicas have less for certain",
    self: 1,
    seen: {
      views: everybodyNames(1, 0),
      peers: [replica(2, { heartbeat: { epoch: 1, ms: 8000 } }), replica(3, empty)],
      hasData: true,
      copy: copy(1, 10_000, true),
    },
    decision: "lead",
  },
  {
    name: "scenario E: the machine went down and somebody doesn't answer yet",
    self: 1,
    seen: { views: everybodyNames(1, 0), hasData: true, copy: copy(1, 10_000, true) },
    decision: "wait",
    because: /only 0 of 2 other instances answer/,
  },
  {
    name: "scenario E: the machine went down and somebody doesn't answer for long",
    self: 1,
    seen: {
      views: everybodyNames(1, 0),
      peers: [replica(2, empty)],
      hasData: true,
      copy: copy(1, 10_000, true),
      askingForMs: doubtPatienceMs,
    },
    decision: "lead",
  },
  {
    name: "scenario E: the machine went down and nobody answers: without a replica it would take no writes anyway",
    self: 1,
    seen: {
      views: everybodyNames(1, 0),
      hasData: true,
      copy: copy(1, 10_000, true),
      askingForMs: lonelyPatienceMs - 1,
    },
    decision: "wait",
  },
  {
    name: "scenario E: it doesn't wait for ever",
    self: 1,
    seen: {
      views: everybodyNames(1, 0),
      hasData: true,
      copy: copy(1, 10_000, true),
      askingForMs: lonelyPatienceMs,
    },
    decision: "lead",
  },
  {
    name: "scenario H: Sentinels at epoch 0 may have forgotten another master: the others are waited for",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [replica(2, empty)], hasData: true, copy: copy(0, 10_000) },
    decision: "wait",
    because: /may have forgotten .* only 1 of 2/,
  },
  {
    name: "scenario H: Sentinels below the epoch of the data have forgotten it for certain",
    self: 1,
    seen: { views: everybodyNames(1, 3), peers: [], hasData: true, copy: copy(4, 10_000) },
    decision: "wait",
    because: /may have forgotten/,
  },
  {
    name: "scenario H: when all others answer and none has newer data it leads",
    self: 1,
    seen: {
      views: everybodyNames(1, 0),
      peers: [replica(2), replica(3, empty)],
      hasData: true,
      copy: copy(4, 9000),
    },
    decision: "lead",
  },
  {
    name: "scenario F: all restart at once and the named instance has older data: the newest heartbeat decides",
    self: 1,
    seen: {
      views: everybodyNames(1, 4),
      peers: [replica(2, { heartbeat: { epoch: 4, ms: 11_001 } })],
      hasData: true,
      copy: copy(4, 10_000),
    },
    decision: "wait and ask for a failover",
    because: /older than another copy: redis-2:6379/,
  },
  {
    name: "scenario F: a copy that is newer by a beat only is the same",
    self: 1,
    seen: {
      views: everybodyNames(1, 4),
      peers: [replica(2, { heartbeat: { epoch: 4, ms: 11_000 } })],
      hasData: true,
      copy: copy(4, 10_000),
    },
    decision: "lead",
  },
  {
    name: "scenario F: a later master's data are newer, whatever the clocks say",
    self: 1,
    seen: {
      views: everybodyNames(1, 4),
      peers: [replica(2, { heartbeat: { epoch: 5, ms: 1 } })],
      hasData: true,
      copy: copy(4, 10_000),
    },
    decision: "wait and ask for a failover",
  },
  {
    name: "scenario H: all Sentinels lost their state and name instance 1, whose data are old",
    self: 1,
    seen: {
      views: everybodyNames(1, 0),
      peers: [replica(2, { heartbeat: { epoch: 7, ms: 1 } })],
      hasData: true,
      copy: copy(6, 10_000),
    },
    decision: "wait and ask for a failover",
  },
  {
    name: "scenario K: a peer that loads has data, although it doesn't tell how new they are",
    self: 1,
    seen: { views: everybodyNames(1, 0), peers: [replica(2, { promotable: false })], hasData: false },
    decision: "wait and ask for a failover",
  },
  {
    name: "scenario A: it is seen down because it doesn't run yet, and a failover may begin",
    self: 1,
    seen: {
      views: everybodyNames(1, 2, ["master", "s_down", "o_down"]),
      peers: [replica(2), replica(3)],
      hasData: true,
      expectedFailoverForMs: stalledPatienceMs - 1,
    },
    decision: "wait for a failover",
  },
  {
    name: "scenario A: the election has failed, and the next one is far away: it leads",
    self: 1,
    seen: {
      views: everybodyNames(1, 2, ["master", "s_down", "o_down"]),
      peers: [replica(2), replica(3)],
      hasData: true,
      expectedFailoverForMs: stalledPatienceMs,
    },
    decision: "lead",
  },
  {
    name: "scenario A: as long as one of them is at it, it waits",
    self: 1,
    seen: {
      views: [view(1, 1, 2, ["master", "s_down"]), ...failingOver.slice(0, 1), view(3, 1, 2)],
      peers: [replica(2), replica(3)],
      hasData: true,
      expectedFailoverForMs: failoverPatienceMs - 1,
    },
    decision: "wait for a failover",
  },
  {
    name: "it was away for nearly down-after: the Sentinels are about to fail it over, and what it took meanwhile might be lost",
    self: 1,
    seen: { views: silentFor(301, 301, 0), peers: [replica(2), replica(3)], hasData: true },
    decision: "wait for a failover",
    because: /about to/,
  },
  {
    name: "it was away so shortly that they will see it up in time",
    self: 1,
    seen: { views: silentFor(300, 300, 300), peers: [replica(2), replica(3)], hasData: true },
    decision: "lead",
  },
  {
    name: "one Sentinel alone has lost sight of it: that is no quorum",
    self: 1,
    seen: { views: silentFor(900, 100, 100), peers: [replica(2), replica(3)], hasData: true },
    decision: "lead",
  },
  {
    name: "it was away for long, and no failover has come",
    self: 1,
    seen: {
      views: silentFor(3000, 3000, 3000),
      peers: [replica(2), replica(3)],
      hasData: true,
      expectedFailoverForMs: stalledPatienceMs,
    },
    decision: "lead",
  },
  {
    name: "it was away for long, and nobody may replace it",
    self: 1,
    seen: {
      views: silentFor(3000, 3000, 3000),
      peers: [replica(2, { promotable: false }), replica(3, { promotable: false })],
      hasData: true,
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

describe("findTrouble", () => {
  const agreed = { master: instance(1), configEpoch: 3 };
  const down = ["master", "s_down"];

  it("finds a Sentinel that sees the agreed master down", () => {
    assert.ok(findTrouble([view(1, 1, 3), view(2, 1, 3, down)], agreed));
  });
  it("finds a failover's leader, which names the next master already", () => {
    assert.ok(findTrouble([view(1, 2, 4, ["master", "failover_in_progress"])], agreed));
  });
  it("takes no notice of the failover that has made the agreed one the master", () => {
    const leader = { ...view(1, 1, 3, ["master", "s_down", "failover_in_progress"]), replaced: instance(2) };
    assert.equal(findTrouble([leader, view(2, 1, 3), view(3, 1, 3)], agreed), undefined);
  });
  it("takes no notice of a Sentinel with the wrong master: that one would never be repaired", () => {
    assert.equal(findTrouble([view(1, 1, 3), view(2, 1, 3), view(3, 2, 0, down)], agreed), undefined);
  });
});

describe("isDisputed", () => {
  const agreed = { master: instance(1), configEpoch: 3 };
  const down = ["master", "s_down"];
  const settings = { quorum: 2, downAfterMs: 1000, failoverTimeoutMs: 3000, parallelSyncs: 1 };
  const views = (...flags: string[][]): SentinelView[] =>
    flags.map((each, i) => ({ ...view(i + 1, 1, 3, each), settings }));

  it("takes no notice of one Sentinel that alone can't reach the master", () => {
    assert.equal(isDisputed(views(["master"], down, ["master"]), agreed), false);
    assert.equal(isDisputed(views(["master"], ["master"], ["master"]), agreed), false);
  });
  it("counts those that see it down up to their quorum", () => {
    assert.equal(isDisputed(views(down, down, ["master"]), agreed), true);
  });
  it("believes one that knows that the others agree, or that has begun", () => {
    assert.equal(isDisputed(views([...down, "o_down"], ["master"]), agreed), true);
    assert.equal(isDisputed(views(["master", "failover_in_progress"], ["master"]), agreed), true);
  });
  it("takes a quorum that it isn't told for one", () => {
    assert.equal(isDisputed([view(1, 1, 3, down), view(2, 1, 3)], agreed), true);
  });
});

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
        damaged: false,
        copy: { heartbeat: undefined, crashed: false },
        askingForMs: 0,
        leaderlessForMs: seen.askingForMs ?? 0,
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
