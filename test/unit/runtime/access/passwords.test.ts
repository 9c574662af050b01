import assert from "node:assert/strict";
import { acceptedGenerations, derivePassword } from "../../../../runtime/access/passwords.ts";

describe("passwords", () => {
  it("differ by user and by generation, and are plain words everywhere", () => {
    const all = ["seed 1", "seed 2"].flatMap((seed) =>
      ["default", "sentinel", "proxy"].map((user) => derivePassword(seed, user)),
    );
    assert.equal(new Set(all).size, 6);
    for (const password of all) assert.match(password, /^[0-9a-f]{40}$/);
  });

  it("stay what they are: a new version of the program must not change them all", () => {
    assert.equal(derivePassword("seed", "default"), "0ccfebd2a0159c3d95468c4acb03434e7eec1113");
  });

  it("of two generations in a row are accepted by whoever knows either of them", () => {
    for (const before of [1, 2, 7]) {
      for (const known of [before, before + 1]) {
        for (const used of [before, before + 1]) {
          assert.ok(acceptedGenerations(known).includes(used), `${used} where ${known} is known`);
        }
      }
    }
    assert.ok(!acceptedGenerations(3).includes(1), "two rotations end a password");
  });
});
