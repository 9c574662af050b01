import assert from "node:assert/strict";
import { hashPassword, parseAclFile, renderAclFile } from "../../../../runtime/access/acl-user.ts";

describe("an aclfile", () => {
  const shop = { name: "shop", rules: "~a* -@all +get (~b -@all +set)", passwords: ["old", "new"] };

  it("holds hashes of every accepted password, and no password", () => {
    const text = renderAclFile([shop]);
    assert.ok(!/\b(old|new)\b/.test(text), text);
    assert.match(
      text,
      new RegExp(`^user shop on #${hashPassword("old")} #${hashPassword("new")} ~a\\*`, "m"),
    );
  });

  it("switches `default` off unless it is a user", () => {
    assert.match(renderAclFile([shop]), /^user default off resetpass resetkeys resetchannels -@all$/m);
    const own = renderAclFile([{ ...shop, name: "default" }]);
    assert.equal(own.match(/^user default /gm)?.length, 1);
    assert.match(own, /^user default on /m);
  });

  it("is read again word by word, with a selector as one", () => {
    const [, user] = parseAclFile(renderAclFile([shop]));
    assert.equal(user?.name, "shop");
    assert.deepEqual(user?.words.slice(-4), ["~a*", "-@all", "+get", "(~b -@all +set)"]);
  });

  it("is refused without showing the line that is wrong", () => {
    assert.throws(
      () => parseAclFile("user a on\nrequirepass secret\n"),
      (error: Error) => {
        assert.match(error.message, /line 2 of the aclfile/);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
  });
});
