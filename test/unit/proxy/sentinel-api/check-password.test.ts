import assert from "node:assert/strict";
import { checkPassword } from "../../../../proxy/sentinel-api/check-password.ts";

describe("checkPassword", () => {
  const check = checkPassword(() => "secret", assert.ifError);
  const table: [user: string, password: string, right: boolean][] = [
    ["default", "secret", true],
    ["default", "Secret", false],
    ["default", "", false],
    ["default", "secret ", false],
    ["other", "secret", false],
  ];
  for (const [user, password, right] of table) {
    it(`says ${right} to ${user} with '${password}'`, async () => {
      assert.equal(await check(user, password), right);
    });
  }

  it("reads the password anew each time", async () => {
    let password = "first";
    const changing = checkPassword(() => password, assert.ifError);
    assert.equal(await changing("default", "first"), true);
    password = "second";
    assert.equal(await changing("default", "first"), false);
    assert.equal(await changing("default", "second"), true);
  });

  it("lets nobody in when there is nothing to compare with", async () => {
    assert.equal(await checkPassword(() => undefined, assert.ifError)("default", ""), false);
    const reported: unknown[] = [];
    const problem = new Error("no such file");
    const unreadable = checkPassword(
      () => {
        throw problem;
      },
      (error) => reported.push(error),
    );
    assert.match(String(await unreadable("default", "")), /^ERR the proxy can't read its password file/);
    assert.deepEqual(reported, [problem]);
  });
});
