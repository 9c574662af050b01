import assert from "node:assert/strict";
import { checkUser } from "../../../../proxy/sentinel-api/check-user.ts";
import { parseAclFile, renderAclFile } from "../../../../runtime/access/acl-user.ts";

const shop = { name: "shop", rules: "-@all", passwords: ["old", "new"] };

describe("checkUser", () => {
  const check = checkUser(() => parseAclFile(renderAclFile([shop])), assert.ifError);
  const table: [user: string, password: string, right: boolean][] = [
    ["shop", "old", true],
    ["shop", "new", true],
    ["shop", "other", false],
    ["shop", "", false],
    // Switched off: no password makes anybody this user.
    ["default", "", false],
    ["default", "old", false],
    ["nobody", "old", false],
  ];
  for (const [user, password, right] of table) {
    it(`says ${right} to ${user} with '${password}'`, async () => {
      assert.equal(await check(user, password), right);
    });
  }

  it("reads the users anew each time: a password that is no longer accepted lets nobody in", async () => {
    let passwords = ["old", "new"];
    const changing = checkUser(() => parseAclFile(renderAclFile([{ ...shop, passwords }])), assert.ifError);
    assert.equal(await changing("shop", "old"), true);
    passwords = ["new"];
    assert.equal(await changing("shop", "old"), false);
  });

  it("lets nobody in when the users can't be read, and says so", async () => {
    const reported: unknown[] = [];
    const problem = new Error("no such file");
    const unreadable = checkUser(
      () => {
        throw problem;
      },
      (error) => reported.push(error),
    );
    assert.match(String(await unreadable("shop", "old")), /^ERR the proxy can't read its users/);
    assert.deepEqual(reported, [problem]);
  });
});
