import assert from "node:assert/strict";
import { problemOfRules } from "../../../access/application-rules.ts";
import { problemsOfUsers } from "../../../settings/problems-of-users.ts";

describe("the rules of an application's user", () => {
  for (const rules of [
    "~shop:* +@read +@write -keys",
    "%R~a* %RW~b* allkeys +get +client|list &news:* &[^_]*",
    "~* +@all",
  ]) {
    it(`may be '${rules}'`, () => assert.equal(problemOfRules(rules), undefined));
  }

  for (const rules of [
    "allchannels",
    "&*",
    "&?_sentinel__:hello",
    "&__sentinel__:hello",
    "&[_]*",
    "&[^a]*",
    "&\\_*",
  ]) {
    it(`may not open the Sentinels' channel by '${rules}'`, () =>
      assert.match(problemOfRules(`~* +publish ${rules}`) ?? "", /could match the Sentinels' own channels/));
  }

  for (const rules of [
    "on",
    "off",
    "nopass",
    ">secret",
    "#00",
    "reset",
    "resetpass",
    "(+config)",
    "+get\nuser",
  ]) {
    it(`may not contain ${JSON.stringify(rules)}`, () =>
      assert.match(problemOfRules(rules) ?? "", /is not allowed: use ~keys/));
  }
});

describe("the names of the applications' users", () => {
  it("are checked all at once", () => {
    const problems = problemsOfUsers([
      { name: "default" },
      { name: "Shop" },
      { name: "supervisor" },
      { name: "default" },
      { name: "web", rules: "+get nopass" },
    ]);
    const expected = [
      /name 'Shop': use up to 40/,
      /'supervisor', which is a part/,
      /'default' twice/,
      /'web' rules that can't be: 'nopass'/,
    ];
    assert.equal(problems.length, expected.length, problems.join("\n"));
    expected.forEach((pattern, i) => {
      assert.match(problems[i] ?? "", pattern);
    });
  });
});
