import assert from "node:assert/strict";
import { UserError } from "../../../../runtime/user-error.ts";
import { chooseTarget, type MachineFacts } from "../../../../workshop/stack/target.ts";

const nothing: MachineFacts = { docker: false, kind: false, root: false, debian: false };
const everything: MachineFacts = { docker: true, kind: true, root: true, debian: true };

describe("chooseTarget", () => {
  const rows: readonly (readonly [string, string | undefined, Partial<MachineFacts>, string])[] = [
    ["the named context, whatever else is there", "mine", everything, "context"],
    ["the named context on a bare machine", "mine", nothing, "context"],
    ["kind before the embedded cluster", undefined, everything, "kind"],
    ["kind without root", undefined, { docker: true, kind: true }, "kind"],
    ["the embedded cluster without kind", undefined, { ...everything, kind: false }, "embedded"],
    ["the embedded cluster without Docker", undefined, { ...everything, docker: false }, "embedded"],
    ["as if none was named for an empty context", "", everything, "kind"],
  ];
  for (const [name, context, facts, kind] of rows) {
    it(`takes ${name}`, () => {
      const target = chooseTarget(context, { ...nothing, ...facts });
      assert.equal(target.kind, kind);
      if (target.kind === "context") assert.equal(target.context, context);
    });
  }

  const refusals: readonly (readonly [Partial<MachineFacts>, RegExp])[] = [
    [
      {},
      /no Docker daemon answers, kind is not installed, the embedded cluster needs Debian or Ubuntu and root/,
    ],
    [{ docker: true }, /Docker answers, kind is not installed/],
    [
      { kind: true, debian: true },
      /no Docker daemon answers, kind is there, the embedded cluster needs root\./,
    ],
    [{ root: true }, /needs Debian or Ubuntu and root/],
  ];
  for (const [facts, message] of refusals) {
    it(`says what is missing and what works without it: ${JSON.stringify(facts)}`, () => {
      assert.throws(
        () => chooseTarget(undefined, { ...nothing, ...facts }),
        (error: unknown) => {
          assert.ok(error instanceof UserError);
          assert.match(error.message, message);
          assert.match(error.message, /make up CONTEXT=.*make local/);
          return true;
        },
      );
    });
  }
});
