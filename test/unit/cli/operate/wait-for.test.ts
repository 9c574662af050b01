import assert from "node:assert/strict";
import { waitFor } from "../../../../cli/operate/wait-for.ts";
import { UserError } from "../../../../runtime/user-error.ts";

describe("what an operator's command waits for", () => {
  const waiting = { withinMs: 100, everyMs: 5, late: (found: string) => `still ${found}` };

  it("may take several looks, of which one fails", async () => {
    const looks = [
      () => "asleep",
      () => {
        throw new UserError("kubectl get: no answer within 10 s");
      },
      () => undefined,
    ];
    let looked = 0;
    await waitFor(async () => looks[looked++]?.(), waiting);
    assert.equal(looked, 3);
  });

  it("has a bound, and says what was found at last, a failure too", async () => {
    await assert.rejects(
      waitFor(async () => "asleep", waiting),
      (error) => error instanceof UserError && error.message === "still asleep",
    );
    const fails = async (): Promise<undefined> => {
      throw new UserError("kubectl get: forbidden");
    };
    await assert.rejects(waitFor(fails, waiting), /^UserError: still kubectl get: forbidden$/);
  });

  it("ends at once for what nobody expected", async () => {
    let looked = 0;
    const broken = async (): Promise<undefined> => {
      looked++;
      throw new TypeError("no function");
    };
    await assert.rejects(waitFor(broken, waiting), TypeError);
    assert.equal(looked, 1);
  });
});
