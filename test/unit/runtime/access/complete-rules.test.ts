import assert from "node:assert/strict";
import { completeRules, problemOfRules } from "../../../../runtime/access/application-rules.ts";

const allowing = (...names: string[]): ReadonlySet<string> => new Set(names);

describe("the complete rules of an application's user", () => {
  it("without rules of its own have what the operator allows, and nothing more than that", () => {
    const plain = completeRules(undefined);
    assert.equal(completeRules(undefined, allowing("config|set", "save")), `${plain} +config|set +save`);
    assert.doesNotMatch(plain, /\+(config|save)/);
  });

  it("with rules of its own keep what the operator allows, but never give it", () => {
    const words = completeRules("~* +@all", allowing("config|set", "save", "cluster")).split(" ");
    for (const name of ["-config", "-config|set", "-save", "-cluster"])
      assert.ok(!words.includes(name), name);
    for (const name of ["-config|get", "-config|rewrite", "-acl", "-debug", "-shutdown"]) {
      assert.ok(words.includes(name), name);
    }
    assert.ok(!words.some((word) => /^\+(config|save|cluster)/.test(word)));
  });

  it("take a container away in one word as long as nothing of it is allowed", () => {
    assert.match(completeRules("+@all"), / -acl .* -config /);
    assert.match(completeRules("+@all", allowing("acl|setuser")), / -acl\|getuser .*-acl\|users .* -config /);
  });
});

describe("a rule that would have no effect", () => {
  for (const [rule, advice] of [
    ["+config|set", /'\+config\|set' has no effect: allow it with proxy:allowCommands, too/],
    ["+SAVE", /'\+save' has no effect: allow it with proxy:allowCommands/],
    ["+cluster|info", /allow it with proxy:allowCommands/],
    ["+pfdebug", /allow it with proxy:allowCommands/],
    ["+config", /no application may do it: remove it/],
    ["+config|get", /no application may do it: remove it/],
    ["+acl|list", /no application may do it/],
    ["+debug", /no application may do it/],
    ["+shutdown", /no application may do it/],
    ["+script|debug", /no application may do it/],
  ] as const) {
    it(`is refused: ${rule}`, () => assert.match(problemOfRules(`~* ${rule}`) ?? "", advice));
  }

  it("is none when the operator allows the command, or a part of it", () => {
    assert.equal(problemOfRules("+config|set +config", allowing("config|set")), undefined);
    assert.equal(problemOfRules("+cluster|info", allowing("cluster")), undefined);
    assert.match(problemOfRules("+config|get", allowing("config|set")) ?? "", /no application may do it/);
  });

  it("is no category, no harmless command and nothing that is taken away", () => {
    const rules = "~* +@all +@admin -config -debug +acl|whoami +wait +monitor +client|list +get";
    assert.equal(problemOfRules(rules), undefined);
  });
});
