import assert from "node:assert/strict";
import {
  type Answer,
  type LossPlan,
  type Part,
  planLoss,
  planReply,
  type ReplyPlan,
  type Standing,
} from "../../../../proxy/session/transaction-plan.ts";

const standings: readonly Standing[] = ["good", "rewound", "neverOpened"];
const answers: readonly Answer[] = ["agreed", "rejected", "refused"];

describe("a reply in a transaction", () => {
  /** By standing (good, rewound, never opened), in each by answer (agreed, rejected, refused). */
  const table: Readonly<Record<Part, readonly (readonly ReplyPlan[])[]>> = {
    watch: [
      ["plain", "plain", "plain"],
      ["plain", "plain", "plain"],
      ["plain", "plain", "plain"],
    ],
    multi: [
      ["keep", "rewind", "never"],
      ["keep", "rewind", "never"],
      ["plain", "plain", "plain"],
    ],
    queued: [
      ["keep", "rewind", "doubt"],
      ["again", "rewind", "again"],
      ["plain", "plain", "plain"],
    ],
    exec: [
      ["over", "rewind", "over"],
      ["again", "rewind", "again"],
      ["plain", "plain", "plain"],
    ],
    discard: [
      ["over", "doubt", "doubt"],
      ["again", "again", "again"],
      ["plain", "plain", "plain"],
    ],
  };
  for (const [part, rows] of Object.entries(table)) {
    it(`to ${part}`, () => {
      const planned = standings.map((standing) =>
        answers.map((answer) => planReply(part as Part, standing, answer)),
      );
      assert.deepEqual(planned, rows);
    });
  }
});

describe("a loss in a transaction", () => {
  /** Every case with a byte sent: standing, opened, executing. */
  const cases = standings.flatMap((standing) =>
    [false, true].flatMap((opened) => [false, true].map((executing) => ({ standing, opened, executing }))),
  );
  const planned = (part: Part, sent: boolean): readonly LossPlan[] =>
    cases.map((one) => planLoss(part, { ...one, sent }));

  /** Rows: good, rewound, never opened; columns: neither, executing, opened, opened and executing. */
  const table: Readonly<Record<Part, readonly (readonly LossPlan[])[]>> = {
    watch: Array.from({ length: 3 }, () => ["lost", "settled", "lost", "settled"]),
    multi: [
      ["unsent", "settled", "unsent", "settled"],
      ["unsent", "unsent", "unsent", "unsent"],
      ["unsent", "unsent", "unsent", "unsent"],
    ],
    queued: [
      ["lostBehindMulti", "settled", "unsent", "settled"],
      ["unsent", "unsent", "unsent", "unsent"],
      ["lost", "lost", "unsent", "unsent"],
    ],
    exec: [
      ["uncertain", "uncertain", "uncertain", "uncertain"],
      ["unsent", "unsent", "unsent", "unsent"],
      ["unsent", "unsent", "unsent", "unsent"],
    ],
    discard: Array.from({ length: 3 }, () => ["unsent", "unsent", "unsent", "unsent"]),
  };
  for (const [part, rows] of Object.entries(table)) {
    it(`of ${part}`, () => assert.deepEqual(planned(part as Part, true), rows.flat()));
  }

  it("of what never left its connection is none", () => {
    for (const part of ["multi", "queued", "exec", "discard"] as const) {
      assert.deepEqual(new Set(planned(part, false)), new Set(["unsent"]));
    }
    assert.deepEqual(new Set(planned("watch", false)), new Set(["lost"]));
  });
});
