import assert from "node:assert/strict";
import { problemOfRules } from "../../../../runtime/access/application-rules.ts";
import { problemsOfUsers } from "../../../../settings/problems-of-users.ts";

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

describe("the words of an application's rules that name commands", () => {
  const rows: readonly (readonly [word: string, problem: RegExp | undefined])[] = [
    ["+gett", /'\+gett' names no command of Redis: use \+get$/],
    ["-flushal", /'-flushal' names no command of Redis: use -flushall$/],
    ["+@reads", /'\+@reads' names no category of Redis: use \+@read$/],
    ["-@danger", /use -@dangerous$|use one of all/],
    ["+@everything", /'\+@everything' names no category of Redis: use one of all, keyspace, read/],
    ["+client|lst", /names no command of Redis: use \+client\|list$/],
    ["+hgetal", /use \+hgetall$/],
    ["+object|freq|x", /more than a command and its subcommand: use \+object or \+object\|subcommand$/],
    ["+client|", /more than a command and its subcommand/],
    ["-get|x", /takes a single argument away, which Redis can't: use -get$/],
    ["+GET", undefined],
    ["+get|only", undefined],
    ["+hexpire", undefined],
    ["+vsim", undefined],
    ["+ft.serch", undefined],
    ["+json.get", undefined],
    ["+client|no-touch", undefined],
    ["+@search", undefined],
    ["-@all", undefined],
    ["+something-else", undefined],
  ];
  for (const [word, problem] of rows) {
    it(`${word} ${problem === undefined ? "may be" : "may not be"}`, () => {
      const found = problemOfRules(`~* ${word}`);
      if (problem === undefined) assert.equal(found, undefined);
      else assert.match(found ?? "", problem);
    });
  }

  it("are told with the user that has them", () => {
    const [problem] = problemsOfUsers([{ name: "web", rules: "~* +@reads" }]);
    assert.match(problem ?? "", /redis:users' gives 'web' rules that can't be: '\+@reads' names no category/);
  });
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
