import assert from "node:assert/strict";
import type { Agreement } from "../../../quorum/agreement.ts";
import {
  candidateOf,
  type MasterState,
  nextState,
  type Probe,
  sameState,
} from "../../../quorum/master-state.ts";
import { instance } from "../../support/sentinel-views.ts";

const agreedOn = (index: number, configEpoch = 4): Agreement => ({
  kind: "agreed",
  master: instance(index),
  configEpoch,
  votes: 3,
});
const none: Agreement = { kind: "none", reason: "they disagree" };
const following = (index: number, configEpoch = 4): MasterState => ({
  kind: "following",
  master: instance(index),
  configEpoch,
});
const lost: MasterState = { kind: "searching", reason: "lost" };
const suspecting = (index: number): MasterState => ({
  kind: "searching",
  reason: "no answer",
  suspect: { master: instance(index), configEpoch: 4, failures: 1, sinceMs: 0 },
});

const isMaster: Probe = { kind: "master" };
const isReplica: Probe = { kind: "replica", master: instance(9) };
const isBusy: Probe = { kind: "busy", problem: "BUSY Redis is busy running a script" };
const isSilent: Probe = { kind: "silent", problem: "no answer" };

/** One round, as the watcher does it. */
function round(
  state: MasterState,
  agreement: Agreement,
  probe: Probe,
  nowMs = 0,
  seenUp = false,
): MasterState {
  const candidate = candidateOf(state, agreement);
  return nextState(state, agreement, candidate && { candidate, probe, seenUp }, nowMs);
}

describe("the state of the master", () => {
  const rows: readonly (readonly [string, MasterState, Agreement, Probe, MasterState | RegExp])[] = [
    ["is found: agreed, and a master", lost, agreedOn(1), isMaster, following(1)],
    [
      "isn't found while the agreed one is a replica",
      lost,
      agreedOn(1),
      isReplica,
      /redis-1:6379 is a replica/,
    ],
    ["isn't found while the agreed one is silent", lost, agreedOn(1), isSilent, /no answer/],
    ["isn't found without an agreement", lost, none, isMaster, /they disagree/],
    ["changes with the agreement", following(1), agreedOn(2, 5), isMaster, following(2, 5)],
    ["takes over a higher epoch of the same master", following(1), agreedOn(1, 5), isMaster, following(1, 5)],
    [
      "stays when the Sentinels are gone and it says that it is one",
      following(1),
      none,
      isMaster,
      following(1),
    ],
    ["ends when it says that it is a replica", following(1), none, isReplica, /redis-1:6379 is a replica/],
    [
      "ends when all agree on one that isn't a master yet",
      following(1),
      agreedOn(2, 5),
      isReplica,
      /redis-2/,
    ],
    ["ends when all agree on one that is silent", following(1), agreedOn(2, 5), isSilent, /no answer/],
    ["is back after one silent round", suspecting(1), none, isMaster, following(1)],
  ];
  for (const [name, state, agreement, probe, expected] of rows) {
    it(name, () => {
      const found = round(state, agreement, probe);
      if (expected instanceof RegExp) {
        assert.ok(found.kind === "searching", JSON.stringify(found));
        assert.match(found.reason, expected);
        assert.equal(found.suspect, undefined);
      } else assert.deepEqual(found, expected);
    });
  }

  it("is only suspected after one silent round", () => {
    const found = round(following(1), agreedOn(1), isSilent, 100);
    assert.deepEqual(found, {
      kind: "searching",
      reason: "no answer",
      suspect: { master: instance(1), configEpoch: 4, failures: 1, sinceMs: 100 },
    });
  });

  /** The number of silent rounds until the master is given up. */
  function roundsUntilGivenUp(everyMs: number): number {
    let state = following(1);
    for (let count = 1; count < 1000; count++) {
      state = round(state, agreedOn(1), isSilent, count * everyMs);
      if (state.kind === "searching" && state.suspect === undefined) return count;
    }
    return Number.POSITIVE_INFINITY;
  }

  it("is given up after three silent rounds and more than a second, whichever comes later", () => {
    assert.equal(roundsUntilGivenUp(5000), 3);
    assert.equal(roundsUntilGivenUp(400), 4);
    assert.equal(roundsUntilGivenUp(100), 12);
  });

  it("is never given up for its silence alone while most Sentinels see it up: it is busy, and no failover comes", () => {
    let state = following(1);
    for (let count = 1; count < 100; count++) {
      state = round(state, agreedOn(1), isSilent, count * 1000, true);
      assert.ok(state.kind === "searching" && state.suspect !== undefined);
    }
    assert.deepEqual(round(state, agreedOn(1), isMaster, 100_000, true), following(1));
    const seenDown = round(state, agreedOn(1), isSilent, 100_000, false);
    assert.ok(seenDown.kind === "searching" && seenDown.suspect === undefined);
    const replica = round(state, agreedOn(1), isReplica, 100_000, true);
    assert.ok(replica.kind === "searching" && replica.suspect === undefined);
  });

  describe("that answers BUSY", () => {
    const busy: MasterState = { kind: "following", master: instance(1), configEpoch: 4, busy: true };
    const rows: readonly (readonly [string, MasterState, Agreement, boolean, MasterState["kind"]])[] = [
      ["is the master still that was followed", following(1), agreedOn(1), true, "following"],
      ["is it after it was silent, too", suspecting(1), agreedOn(1), true, "following"],
      ["is it as long as that goes on", busy, agreedOn(1), true, "following"],
      ["isn't when most Sentinels see it down", following(1), agreedOn(1), false, "searching"],
      ["isn't when they don't agree", following(1), none, true, "searching"],
      ["isn't when another one was followed", following(2), agreedOn(1, 5), true, "searching"],
      ["isn't when it was given up", lost, agreedOn(1), true, "searching"],
    ];
    for (const [name, state, agreement, seenUp, kind] of rows) {
      it(name, () => {
        const found = round(state, agreement, isBusy, 0, seenUp);
        assert.equal(found.kind, kind);
        if (found.kind === "following") assert.deepEqual(found, busy);
        else assert.match(found.reason, /BUSY/);
      });
    }

    it("is told when it begins and when it ends", () => {
      assert.equal(sameState(following(1), busy), false);
      assert.equal(sameState(busy, following(1)), false);
      assert.equal(sameState(busy, { ...busy }), true);
    });
  });

  it("stays given up: without an agreement nobody is a candidate any more", () => {
    assert.equal(candidateOf(lost, none), undefined);
  });

  it("differs for clients by master and by what they may do, not by epoch or reason", () => {
    assert.ok(sameState(following(1, 4), following(1, 5)));
    assert.ok(!sameState(following(1), following(2)));
    assert.ok(!sameState(following(1), suspecting(1)));
    assert.ok(!sameState(suspecting(1), lost));
    assert.ok(sameState(lost, { kind: "searching", reason: "another" }));
    assert.ok(sameState(suspecting(1), { ...suspecting(1), reason: "another" } as MasterState));
  });
});
