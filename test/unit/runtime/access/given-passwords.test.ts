import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderAclFiles } from "../../../../runtime/access/acl-files.ts";
import { hashPassword, parseAclFile } from "../../../../runtime/access/acl-user.ts";
import { GivenPasswords } from "../../../../runtime/access/given-passwords.ts";

describe("passwords that the platform gives", () => {
  let directory: string;
  const { redis, clients } = renderAclFiles(
    {
      users: [
        { name: "default" },
        { name: "shop", rules: "~shop:* +get", existingSecret: { name: "shop-login" } },
      ],
      clientsAskSentinels: false,
    },
    ["seed"],
  );

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "redis-ha-given-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function write(text: string): void {
    writeFileSync(join(directory, "shop"), text);
  }

  function hashesOf(text: string, user: string): string[] {
    const words = parseAclFile(text).find(({ name }) => name === user)?.words ?? [];
    return words.filter((word) => word.startsWith("#"));
  }

  it("are in no aclfile that the program writes, and nobody can be such a user before they are known", () => {
    for (const text of [redis, clients]) {
      assert.deepEqual(hashesOf(text, "shop"), []);
      assert.equal(hashesOf(text, "default").length, 1);
      assert.doesNotMatch(text, /nopass/);
      assert.deepEqual(hashesOf(new GivenPasswords(directory).complete(text), "shop"), []);
    }
  });

  it("are added to their users alone, a hash for each line, and follow the file", () => {
    const given = new GivenPasswords(directory);
    const expect = (...passwords: string[]): void => {
      const text = given.complete(redis);
      assert.deepEqual(
        hashesOf(text, "shop"),
        passwords.map((password) => `#${hashPassword(password)}`),
      );
      assert.deepEqual(hashesOf(text, "default"), hashesOf(redis, "default"));
      assert.doesNotMatch(text, /one|two/);
    };
    write("one");
    expect("one");
    write("one\r\ntwo with a blank\n");
    expect("one", "two with a blank");
    write("two\n");
    expect("two");
  });

  it("stay in force while their file is gone or empty", () => {
    const given = new GivenPasswords(directory);
    write("one");
    const complete = given.complete(redis);
    write("\n");
    assert.equal(given.complete(redis), complete);
    rmSync(join(directory, "shop"));
    assert.equal(given.complete(redis), complete);
  });

  it("are refused when there are too many, without being told", () => {
    write(Array.from({ length: 11 }, (_, i) => `hush${i}`).join("\n"));
    assert.throws(
      () => new GivenPasswords(directory).complete(redis),
      (error: Error) => /'shop' has 11 lines: at most 10/.test(error.message) && !/hush/.test(error.message),
    );
  });
});
