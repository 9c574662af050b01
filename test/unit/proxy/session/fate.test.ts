import assert from "node:assert/strict";
import { cameBack, type Fate, fateOf, type Return } from "../../../../proxy/session/fate.ts";
import type { Attempts } from "../../../../proxy/upstream/command.ts";

const holdTimeoutMs = 11_000;
/** What happened to a command, in order: `lost 1` is in the first term, `alone 2` as a suspect in the second. */
type Step = `${Return | "alone"} ${number}`;

function historyOf(steps: readonly Step[], everyMs = 100): Attempts {
  let attempts: Attempts | undefined;
  steps.forEach((step, i) => {
    const [how, term] = step.split(" ");
    if (how === "alone" && attempts !== undefined) attempts = { ...attempts, alone: true };
    attempts = cameBack(attempts, how === "alone" ? "lost" : (how as Return), {
      nowMs: i * everyMs,
      term: Number(term),
    });
  });
  if (attempts === undefined) throw new Error("nothing happened");
  return attempts;
}

describe("fateOf", () => {
  const cases: readonly {
    steps: readonly Step[];
    term: number;
    slow: Fate;
    fast: Fate;
    blocking: Fate;
  }[] = [
    { steps: ["unsent 1"], term: 1, slow: "again", fast: "again", blocking: "again" },
    {
      steps: ["unsent 1", "unsent 2", "refused 2"],
      term: 3,
      slow: "again",
      fast: "again",
      blocking: "again",
    },
    // Its connection alone was lost: it may have been the reason, however fast it is (a big reply).
    { steps: ["lost 1"], term: 1, slow: "againAlone", fast: "againAlone", blocking: "again" },
    { steps: ["lost 1", "lost 1"], term: 1, slow: "againAlone", fast: "againAlone", blocking: "again" },
    // The master was lost.
    { steps: ["lost 1"], term: 2, slow: "againAlone", fast: "again", blocking: "again" },
    // No third master.
    { steps: ["lost 1", "lost 2"], term: 3, slow: "givenUp", fast: "givenUp", blocking: "again" },
    { steps: ["lost 1", "alone 2"], term: 3, slow: "givenUp", fast: "givenUp", blocking: "givenUp" },
    { steps: ["lost 1", "alone 1"], term: 1, slow: "givenUp", fast: "givenUp", blocking: "givenUp" },
    // A refusal between the attempts makes no suspect innocent.
    { steps: ["lost 1", "refused 2"], term: 2, slow: "againAlone", fast: "again", blocking: "again" },
    {
      steps: ["lost 1", "unsent 2", "alone 3"],
      term: 4,
      slow: "givenUp",
      fast: "givenUp",
      blocking: "givenUp",
    },
    {
      steps: ["lost 1", "lost 2", "lost 3"],
      term: 4,
      slow: "givenUp",
      fast: "givenUp",
      blocking: "givenUp",
    },
  ];
  for (const { steps, term, ...fates } of cases) {
    for (const kind of ["slow", "fast", "blocking"] as const) {
      it(`${steps.join(", ")}; now term ${term}: a ${kind} command is ${fates[kind]}`, () => {
        const rule = { fast: kind === "fast", route: kind === "blocking" ? "blocking" : "shared" } as const;
        assert.equal(fateOf(rule, historyOf(steps), { nowMs: 1000, term, holdTimeoutMs }), fates[kind]);
      });
    }
  }

  const rule = { fast: false, route: "shared" } as const;

  it("ends when a client was held for long enough, but not before it has had a second try", () => {
    const late = holdTimeoutMs + 1000;
    const fate = (...steps: Step[]): Fate =>
      fateOf(rule, historyOf(steps), { nowMs: late, term: 1, holdTimeoutMs });
    assert.equal(fate("unsent 1"), "again");
    assert.equal(fate("unsent 1", "unsent 1"), "tooLate");
    assert.equal(fate("refused 1", "refused 1"), "tooLate");
    assert.equal(fate("lost 1"), "againAlone");
    assert.equal(fate("lost 1", "unsent 1"), "givenUp");
  });

  it("has an end for every command, whatever happens to it", () => {
    for (const fast of [true, false]) {
      for (const sameMaster of [true, false]) {
        let attempts: Attempts | undefined;
        let sent = 1;
        for (let term = 1; sent < 10; sent++) {
          attempts = cameBack(attempts, "lost", { nowMs: sent, term });
          if (!sameMaster) term++;
          const fate = fateOf({ fast, route: "shared" }, attempts, { nowMs: sent, term, holdTimeoutMs });
          if (fate === "givenUp") break;
          attempts = { ...attempts, alone: fate === "againAlone" };
        }
        assert.equal(sent, 2, `${fast ? "fast" : "slow"}, ${sameMaster ? "one master" : "many masters"}`);
      }
    }
  });
});
