import assert from "node:assert/strict";
import type { Agreement, SentinelView } from "../../../../quorum/agreement.ts";
import type { Role } from "../../../../quorum/ask-role.ts";
import {
  isStalled,
  planSupervision,
  type SupervisionAction,
  type SupervisionObservation,
} from "../../../../sentinel-image/supervise/plan-supervision.ts";
import { findOddSentinel } from "../../../../sentinel-image/supervise/repair-sentinel.ts";
import { instance, view } from "../../../support/sentinel-views.ts";

const oddSentinel = view(3, 2, 3).sentinel;
const agreedOn = (index: number): Agreement => ({
  kind: "agreed",
  master: instance(index),
  configEpoch: 3,
  votes: 3,
});
const none: Agreement = { kind: "none", reason: "they disagree" };
const leading: Role = { kind: "master", offset: 10, replicas: [{ host: "redis-2", port: 6379 }] };
const following = (index: number, linkUp = true): Role => ({
  kind: "replica",
  master: instance(index),
  linkUp,
  offset: 10,
});

/** The time of the look; everything else is so many ms before it. */
const now = 1_000_000;
const ago = (ms: number): number => now - ms;

/** Instance 1, an ordinary replica of the agreed master 2, unless a row says otherwise. */
const ordinary: SupervisionObservation = {
  self: instance(1),
  agreement: agreedOn(2),
  nowMs: now,
  agreedSinceMs: now - 500,
  role: following(2),
  masterConfirmed: true,
  streaming: true,
  priority: 100,
  leaving: false,
  stalledSinceMs: undefined,
  orphanedSinceMs: undefined,
  unlinkedSinceMs: undefined,
  unwritableSinceMs: undefined,
  leaderlessSinceMs: undefined,
  leaderlessPatienceMs: 2000,
  newest: true,
  alone: false,
  benched: false,
  unprovenSinceMs: undefined,
  neededSinceMs: undefined,
  odd: undefined,
  askedAtMs: undefined,
  repairedAtMs: undefined,
};
const hasLink = (role: Role): boolean => role.kind === "replica" && role.linkUp;
/** It has stopped being a master, or never became one, and the Sentinels name it. */
const leaderless = (forMs: number, newest = true): Partial<SupervisionObservation> => ({
  agreement: agreedOn(1),
  role: following(2, false),
  masterConfirmed: false,
  leaderlessSinceMs: ago(forMs),
  newest,
});
const oddly = (forMs: number): Partial<SupervisionObservation> => ({
  agreement: agreedOn(1),
  role: leading,
  odd: { sentinel: oddSentinel, sinceMs: ago(forMs) },
});
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
  [
    "does nothing in the first look that finds another master named",
    { role: leading, agreedSinceMs: now },
    [],
  ],
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
  [
    "forbids a replica's promotion at once when too few copies are there",
    { alone: true },
    [{ kind: "forbid-promotion", reason: "too few other copies are there for it to lead", benches: true }],
  ],
  ["doesn't allow it while that is so", { alone: true, priority: 0, benched: true }, []],
  ["nor when it is orphaned", { alone: true, priority: 0, streaming: false, orphanedSinceMs: ago(9000) }, []],
  [
    "allows it again when they are back, with the master still gone",
    { priority: 0, benched: true, masterConfirmed: false, role: following(2, false), streaming: false },
    [{ kind: "allow-promotion" }],
  ],
  [
    "allows it although it is to follow one that may lack what it has: else nobody could replace that one",
    { priority: 0, benched: true, role: following(3) },
    [{ kind: "allow-promotion" }, follow2(false)],
  ],
  [
    "not while too few copies are there",
    { priority: 0, benched: true, alone: true, role: following(3) },
    [follow2(false)],
  ],
  [
    "has a promoted instance replaced that others don't follow for 2 s",
    { agreement: agreedOn(1), role: leading, unprovenSinceMs: ago(2000) },
    [{ kind: "request-failover" }],
  ],
  [
    "not before that, and not again at once",
    { agreement: agreedOn(1), role: leading, unprovenSinceMs: ago(7000), askedAtMs: ago(5000) },
    [],
  ],
  ["never lets an empty replica be promoted", { priority: 0, role: following(2, false) }, []],
  ["lets a replica be promoted once it is in sync", { priority: 0 }, [{ kind: "allow-promotion" }]],
  [
    "lets no replica be promoted whose link is up but that has heard nothing yet",
    { priority: 0, streaming: false },
    [],
  ],
  [
    "lets a master be promoted again later",
    { priority: 0, agreement: agreedOn(1), role: leading },
    [{ kind: "allow-promotion" }],
  ],
  [
    "forbids the promotion of a replica that is going to be removed",
    { leaving: true },
    [{ kind: "forbid-promotion", reason: "it is going to be removed" }],
  ],
  ["doesn't let it be promoted again, though it is in sync", { leaving: true, priority: 0 }, []],
  ["lets it be promoted again when it stayed", { priority: 0 }, [{ kind: "allow-promotion" }]],
  ["re-points it like any other", { leaving: true, priority: 0, role: following(3) }, [follow2(false)]],
  [
    "leaves a master alone that is going to be removed and could not hand over",
    { leaving: true, agreement: agreedOn(1), role: leading },
    [],
  ],
  ["leaves the heir of a hand-over alone", { priority: 50 }, []],
  [
    "gives a master its ordinary priority when a hand-over has left it another one",
    { priority: 50, agreement: agreedOn(1), role: leading },
    [{ kind: "allow-promotion" }],
  ],
  ["re-points a replica before it may be promoted", { priority: 0, role: following(3) }, [follow2(false)]],
  ["waits when the Sentinels do nothing", { stalledSinceMs: ago(900), role: following(2, false) }, []],
  [
    "asks for a failover after a second",
    { stalledSinceMs: ago(1000), role: following(2, false) },
    [{ kind: "request-failover" }],
  ],
  [
    "asks again only after 1.5 s",
    { stalledSinceMs: ago(2400), askedAtMs: ago(1400), role: following(2, false) },
    [],
  ],
  [
    "asks again after 1.5 s",
    { stalledSinceMs: ago(2500), askedAtMs: ago(1500), role: following(2, false) },
    [{ kind: "request-failover" }],
  ],
  [
    "asks for no failover that nobody could win: not promotable itself",
    { stalledSinceMs: ago(1000), role: following(2, false), priority: 0 },
    [],
  ],
  [
    "lets the newest copy be promoted when for 5 s nobody is master and nobody may become it",
    { priority: 0, role: following(2, false), agreement: none, orphanedSinceMs: ago(5000) },
    [{ kind: "allow-promotion" }],
  ],
  [
    "doesn't do so earlier: the master may only be starting later than its replicas",
    { priority: 0, role: following(2, false), agreement: none, orphanedSinceMs: ago(4900) },
    [],
  ],
  [
    "scenario A: asks for a failover when the Sentinels name this replica and nobody is master",
    leaderless(2000),
    [{ kind: "request-failover" }],
  ],
  ["scenario A: not before twice the time in which they see it themselves", leaderless(1900), []],
  ["scenario A: once in three seconds", { ...leaderless(4900), askedAtMs: ago(2900) }, []],
  ["scenario A: becomes the master at last, with the newest data", leaderless(7000), [{ kind: "lead" }]],
  [
    "scenario A: not with older data than another's",
    { ...leaderless(7000, false), askedAtMs: ago(2000) },
    [],
  ],
  [
    "scenario I: doesn't let a replica be promoted that is in sync with a master of whom nobody is sure",
    { priority: 0, agreement: none },
    [],
  ],
  [
    "scenario J: takes the promotion back from a copy that has had no link for 10 s",
    { role: following(2, false), unlinkedSinceMs: ago(10_000) },
    [{ kind: "forbid-promotion", reason: "it has had no link with the master for 10 s" }],
  ],
  ["scenario J: not earlier", { role: following(2, false), unlinkedSinceMs: ago(9900) }, []],
  [
    "scenario J: never while the master is gone, or nobody could be promoted",
    { role: following(2, false), unlinkedSinceMs: ago(10_000), masterConfirmed: false },
    [],
  ],
  [
    "scenario M: a master that can't write its append-only file asks to be replaced",
    { agreement: agreedOn(1), role: leading, unwritableSinceMs: ago(1000) },
    [{ kind: "request-failover" }],
  ],
  [
    "scenario M: not for one failed write",
    { agreement: agreedOn(1), role: leading, unwritableSinceMs: ago(900) },
    [],
  ],
  [
    "scenario M: not again at once",
    { agreement: agreedOn(1), role: leading, unwritableSinceMs: ago(6900), askedAtMs: ago(5900) },
    [],
  ],
  [
    "scenario M: but again when nothing came of it",
    { agreement: agreedOn(1), role: leading, unwritableSinceMs: ago(7000), askedAtMs: ago(6000) },
    [{ kind: "request-failover" }],
  ],
  [
    "scenario M: a replica that can't write must not be promoted",
    { unwritableSinceMs: now },
    [{ kind: "forbid-promotion", reason: "its append-only file can't be written" }],
  ],
  ["scenario M: nor be allowed again meanwhile", { unwritableSinceMs: ago(4500), priority: 0 }, []],
  [
    "scenario N: re-points a replica of a replica at once, although its link is up",
    { role: following(3) },
    [follow2(false)],
  ],
  [
    "repairs a Sentinel that alone names another master for 5 s",
    oddly(5000),
    [{ kind: "repair-sentinel", sentinel: oddSentinel, master: instance(1) }],
  ],
  ["leaves the others time to tell it", oddly(4900), []],
  ["leaves the repair time to work", { ...oddly(9900), repairedAtMs: ago(4900) }, []],
  ["leaves repairs to the master", { ...oddly(5000), agreement: agreedOn(2), role: following(2) }, []],
  ["repairs nothing while a failover runs", { ...oddly(5000), masterConfirmed: false }, []],
  ["asks for no failover as a master", { stalledSinceMs: ago(1000), role: leading, agreement: none }, []],
];

describe("planSupervision", () => {
  for (const [name, seen, actions] of rows) {
    it(name, () =>
      assert.deepEqual(
        planSupervision({ ...ordinary, streaming: hasLink(seen.role ?? ordinary.role), ...seen }),
        actions,
      ),
    );
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

describe("findOddSentinel", () => {
  const agreement: Agreement = { kind: "agreed", master: instance(2), configEpoch: 3, votes: 2 };

  it("finds one that names the old master with the new epoch", () => {
    const odd = view(3, 1, 3);
    assert.equal(findOddSentinel([view(1, 2, 3), view(2, 2, 3), odd], agreement, 3), odd);
  });
  it("finds one that is behind for long", () => {
    assert.ok(findOddSentinel([view(1, 2, 3), view(2, 2, 3), view(3, 1, 0)], agreement, 3));
  });

  const nobody: readonly (readonly [name: string, views: SentinelView[], agreement: Agreement])[] = [
    ["when all agree", [view(1, 2, 3), view(2, 2, 3), view(3, 2, 3)], agreement],
    ["when it may know more than the others", [view(1, 2, 3), view(2, 2, 3), view(3, 1, 4)], agreement],
    ["when two of five are wrong", [1, 2, 3, 4, 5].map((i) => view(i, i > 3 ? 1 : 2, 3)), agreement],
    ["when one Sentinel doesn't answer", [view(1, 2, 3), view(3, 1, 3)], agreement],
    ["without an agreement", [view(1, 2, 3), view(2, 3, 3), view(3, 1, 3)], none],
  ];
  for (const [name, views, seen] of nobody) {
    it(`finds nobody ${name}`, () =>
      assert.equal(findOddSentinel(views, seen, Math.max(3, views.length)), undefined));
  }
});
