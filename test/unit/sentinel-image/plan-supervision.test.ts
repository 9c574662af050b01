import assert from "node:assert/strict";
import type { Agreement } from "../../../quorum/agreement.ts";
import type { Role } from "../../../quorum/ask-role.ts";
import {
  isStalled,
  planSupervision,
  type SupervisionAction,
  type SupervisionObservation,
} from "../../../sentinel-image/plan-supervision.ts";
import { instance, view } from "../../support/sentinel-views.ts";

const agreedOn = (index: number): Agreement => ({
  kind: "agreed",
  master: instance(index),
  configEpoch: 3,
  votes: 3,
});
const none: Agreement = { kind: "none", reason: "they disagree" };
const leading: Role = { kind: "master", offset: 10, replicas: 1 };
const following = (index: number, linkUp = true): Role => ({
  kind: "replica",
  master: instance(index),
  linkUp,
  offset: 10,
});

/** Instance 1, an ordinary replica of the agreed master 2, unless a row says otherwise. */
const ordinary: SupervisionObservation = {
  self: instance(1),
  agreement: agreedOn(2),
  agreedBefore: true,
  role: following(2),
  masterConfirmed: true,
  priority: 100,
  stalledRounds: 0,
  orphanedRounds: 0,
};
const follow2 = (dropClients: boolean): SupervisionAction => ({
  kind: "follow",
  master: instance(2),
  dropClients,
});

const rows: readonly (readonly [
  name: string,
  seen: Partial<SupervisionObservation>,
  actions: readonly SupervisionAction[],
])[] = [
  ["leaves a replica of the agreed master alone", {}, []],
  ["leaves the agreed master alone", { agreement: agreedOn(1), role: leading }, []],
  ["demotes an old master and drops its clients", { role: leading }, [follow2(true)]],
  [
    "re-points a replica of the wrong instance, also one in a chain",
    { role: following(3) },
    [follow2(false)],
  ],
  ["does nothing in the first round that names another master", { role: leading, agreedBefore: false }, []],
  ["does nothing without an agreement", { role: leading, agreement: none }, []],
  [
    "leaves a promotion alone that isn't announced yet: the named old master doesn't say that it is one",
    { role: leading, masterConfirmed: false },
    [],
  ],
  [
    "leaves a replica alone that the Sentinels have re-pointed before they announce it",
    { role: following(3), masterConfirmed: false },
    [],
  ],
  ["never lets an empty replica be promoted", { priority: 0, role: following(2, false) }, []],
  ["lets a replica be promoted once it is in sync", { priority: 0 }, [{ kind: "allow-promotion" }]],
  [
    "lets a master be promoted again later",
    { priority: 0, agreement: agreedOn(1), role: leading },
    [{ kind: "allow-promotion" }],
  ],
  ["leaves the heir of a hand-over alone", { priority: 50 }, []],
  [
    "gives a master its ordinary priority when a hand-over has left it another one",
    { priority: 50, agreement: agreedOn(1), role: leading },
    [{ kind: "allow-promotion" }],
  ],
  ["re-points a replica before it may be promoted", { priority: 0, role: following(3) }, [follow2(false)]],
  ["waits for two rounds when the Sentinels do nothing", { stalledRounds: 2, role: following(2, false) }, []],
  [
    "asks for a failover in the third",
    { stalledRounds: 3, role: following(2, false) },
    [{ kind: "request-failover" }],
  ],
  ["asks again only after three more", { stalledRounds: 4, role: following(2, false) }, []],
  [
    "asks again after three more",
    { stalledRounds: 6, role: following(2, false) },
    [{ kind: "request-failover" }],
  ],
  [
    "asks for no failover that nobody could win: not promotable itself",
    { stalledRounds: 3, role: following(2, false), priority: 0 },
    [],
  ],
  [
    "lets the newest copy be promoted when for 5 s nobody is master and nobody may become it",
    { priority: 0, role: following(2, false), agreement: none, orphanedRounds: 10 },
    [{ kind: "allow-promotion" }],
  ],
  [
    "doesn't do so earlier: the master may only be starting later than its replicas",
    { priority: 0, role: following(2, false), agreement: none, orphanedRounds: 9 },
    [],
  ],
  ["asks for no failover as a master", { stalledRounds: 3, role: leading, agreement: none }, []],
];

describe("planSupervision", () => {
  for (const [name, seen, actions] of rows) {
    it(name, () => assert.deepEqual(planSupervision({ ...ordinary, ...seen }), actions));
  }
});

describe("isStalled", () => {
  const down = (sentinel: number, ...flags: string[]) => view(sentinel, 2, 3, ["master", "s_down", ...flags]);

  it("needs a majority that sees the master down, and one that has a quorum for it", () => {
    assert.ok(isStalled([down(1, "o_down"), down(2), view(3, 2, 3)], 3));
    assert.ok(!isStalled([down(1), down(2), down(3)], 3), "nobody has a quorum");
    assert.ok(!isStalled([down(1, "o_down"), view(2, 2, 3), view(3, 2, 3)], 3), "one alone");
    assert.ok(!isStalled([down(1, "o_down")], 3), "a minority");
    assert.ok(!isStalled([], 3));
  });

  it("is over as soon as one of them fails over", () => {
    assert.ok(!isStalled([down(1, "o_down", "failover_in_progress"), down(2, "o_down"), down(3)], 3));
  });
});
