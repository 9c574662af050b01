import assert from "node:assert/strict";
import type { Agreement } from "../../../../quorum/agreement.ts";
import type { History } from "../../../../sentinel-image/failover/history.ts";
import {
  type CopyInSight,
  couldLead,
  judgeJoin,
  shouldLeadInstead,
} from "../../../../sentinel-image/failover/keep-data.ts";
import { instance } from "../../../support/sentinel-views.ts";

const [old, fresh, other] = ["a", "b", "c"].map((letter) => letter.repeat(40)) as [string, string, string];
const none = "0".repeat(40);
const beat = (epoch: number, ms = 1000) => ({ epoch, ms });

/** A replica of the master that is gone, which led in epoch 3. */
const replica: CopyInSight = copy({ role: "replica", id: old, offset: 100 });
/** Another one, which has been promoted, and hasn't led yet. */
const heir: CopyInSight = copy({ role: "master", id: fresh, formerId: old, formerUntil: 101, offset: 100 });

function copy(
  history: Partial<History>,
  heartbeat: CopyInSight["heartbeat"] | "none" = beat(3),
  wasJoined = false,
): CopyInSight {
  const common = {
    role: "replica",
    id: old,
    formerId: none,
    formerUntil: -1,
    offset: 100,
    promotable: true,
  } as const;
  return {
    history: { ...common, ...history },
    heartbeat: heartbeat === "none" ? undefined : heartbeat,
    wasJoined,
  };
}

describe("whom an instance follows with redis:durability quorum", () => {
  for (const [name, own, master, epoch, expected] of [
    ["a promoted one that has all it has", replica, heir, undefined, "continues"],
    ["the same, and it lacks the end itself", copy({ offset: 40 }), heir, 4, "continues"],
    ["not one that has less", copy({ offset: 101 }), heir, 4, false],
    ["nor before it is a master", replica, copy({ id: old }), 4, false],
    [
      "one that has led in this epoch, whatever it lacks",
      copy({ offset: 999 }),
      { ...heir, heartbeat: beat(4) },
      4,
      "proven",
    ],
    ["one that has led in an earlier one only: not for that", copy({ offset: 999 }), heir, 4, false],
    [
      "one whose promotion isn't announced: not for that",
      copy({ offset: 999 }),
      { ...heir, heartbeat: beat(4, 900) },
      undefined,
      "newer",
    ],
    [
      "what Sentinels say that have forgotten the epochs proves nothing",
      copy({ id: other }, beat(7)),
      copy({ role: "master", id: fresh }, beat(7)),
      0,
      false,
    ],
    [
      "after a restart, with the same last heartbeat: one of them may have more",
      copy({ id: other, offset: 1 }),
      heir,
      4,
      false,
    ],
    [
      "after its machine went down, with the same: what came behind it was on no disk for certain",
      { ...copy({ id: other, offset: 1 }), crashed: true },
      heir,
      4,
      "newer",
    ],
    [
      "after its machine went down, with a later one",
      { ...copy({ id: other, offset: 1 }, beat(3, 1500)), crashed: true },
      heir,
      4,
      false,
    ],
    ["after a restart, with an older one", copy({ id: other, offset: 1 }, beat(3, 500)), heir, 4, "newer"],
    ["after a restart, with a later one", copy({ id: other, offset: 1 }, beat(3, 1500)), heir, 4, false],
    [
      "after a restart, with that of a later epoch",
      copy({ id: other, offset: 1 }, beat(5, 10)),
      heir,
      6,
      false,
    ],
    ["a lost volume is no copy", copy({ id: other, offset: 1 }, "none"), heir, 4, false],
    [
      "and follows whoever has led",
      copy({ id: other, offset: 1 }, "none"),
      { ...heir, heartbeat: beat(4) },
      4,
      "proven",
    ],
    [
      "a new cluster has nothing to lose",
      copy({ id: other }, "none"),
      copy({ role: "master", id: fresh }, "none"),
      0,
      "new",
    ],
    ["the old master, whose last writes the heir has", copy({ role: "master" }), heir, 4, "continues"],
    ["the old master, which took more", copy({ role: "master", offset: 101 }), heir, 4, false],
    [
      "a promoted one that nobody joined: the next one has more",
      copy({ role: "master", id: other, formerId: old, formerUntil: 90, offset: 120 }),
      heir,
      5,
      "never-led",
    ],
    [
      "but not when it has been joined",
      copy({ role: "master", id: other, formerId: old, formerUntil: 90, offset: 120 }, beat(3), true),
      heir,
      5,
      false,
    ],
    [
      "nor when it has more than the next one",
      copy({ role: "master", id: other, formerId: old, formerUntil: 110, offset: 120 }),
      heir,
      5,
      false,
    ],
    [
      "nobody joined it, and its own old master has all it had",
      copy({ role: "master", id: other, formerId: old, formerUntil: 90, offset: 120 }),
      copy({ role: "master", offset: 150 }),
      5,
      "never-led",
    ],
    [
      "a promoted one that nobody joined, and its old master is back with all it had",
      { ...copy({ role: "master", id: fresh, formerId: old, formerUntil: 101 }), fromOther: true },
      copy({ role: "master", id: other, offset: 9 }),
      5,
      "back",
    ],
    [
      "the same, but its old master is back with less",
      { ...copy({ role: "master", id: fresh, formerId: old, formerUntil: 101 }), fromOther: true },
      copy({ role: "master", id: other, offset: 9 }, beat(3, 500)),
      5,
      false,
    ],
    [
      "the same, but it has been joined",
      {
        ...copy({ role: "master", id: fresh, formerId: old, formerUntil: 101 }, beat(3), true),
        fromOther: true,
      },
      copy({ role: "master", id: other, offset: 9 }),
      5,
      false,
    ],
    [
      "nor when neither was ever a replica",
      copy({ role: "master", id: other }),
      copy({ role: "master", id: fresh }),
      5,
      false,
    ],
    [
      "its own master, which it left for a moment",
      replica,
      copy({ role: "master", offset: 150 }, beat(2)),
      4,
      "continues",
    ],
  ] as const) {
    it(name, () => {
      const verdict = judgeJoin(own, master, epoch);
      assert.equal(verdict.joins && verdict.because, expected, JSON.stringify(verdict));
    });
  }

  for (const [name, own, ledIn, named, expected] of [
    ["which led last, and the named one hasn't led since", beat(3), 3, beat(3), true],
    ["which has heard more than the named one", beat(3, 1500), undefined, beat(3), true],
    ["not one that has the same, and may have heard less", beat(3), undefined, beat(3), false],
    ["not one that has led earlier than it has heard", beat(3), 2, beat(3), false],
    ["not one that has less", beat(3), 3, beat(3, 1500), false],
    ["not once the named one has led", beat(3), 3, beat(4), false],
    ["not one whose volume was lost", undefined, undefined, undefined, false],
    ["one with data, when the named one has lost its volume", beat(3), 3, undefined, true],
  ] as const) {
    it(`leads instead of the named one: ${name}`, () =>
      assert.equal(shouldLeadInstead(own, ledIn, named, 4), expected));
  }

  const agreed: Agreement = { kind: "agreed", master: instance(2), configEpoch: 4, votes: 3 };
  const nobody: Agreement = { kind: "none", reason: "they disagree" };
  const peer = (n: number, role: "master" | "replica" = "replica", epoch = 4) => ({
    address: instance(n),
    role,
    heartbeat: beat(epoch),
  });
  for (const [name, instanceCount, peers, agreement, expected] of [
    ["with another replica beside the master", 3, [peer(2, "master"), peer(3)], agreed, true],
    ["not with the master that leads alone", 3, [peer(2, "master")], agreed, false],
    ["nor all alone", 3, [], agreed, false],
    ["with a master that nobody names", 3, [peer(3, "master")], agreed, true],
    ["with one that is named and hasn't led", 3, [peer(2, "master", 3)], agreed, true],
    ["with one that was named, while the Sentinels are gone", 3, [peer(2, "master")], nobody, true],
    ["not with one of four others", 5, [peer(2, "master"), peer(3)], agreed, false],
    ["with two of four others", 5, [peer(3), peer(4)], agreed, true],
  ] as const) {
    it(`could lead: ${name}`, () => assert.equal(couldLead({ instanceCount, peers, agreement }), expected));
  }
});
