import assert from "node:assert/strict";
import { globMatches } from "../../../../proxy/sentinel-api/glob-match.ts";

describe("globMatches", () => {
  const matching: [pattern: string, text: string][] = [
    ["*", "+switch-master"],
    ["*", ""],
    ["**", "x"],
    ["", ""],
    ["+switch-master", "+switch-master"],
    ["[-+]s*", "+switch-master"],
    ["[-+]switch-?aster", "-switch-master"],
    ["+*-*r", "+switch-master"],
    ["a*b*c", "aXbYbZc"],
    ["[a-c]x", "bx"],
    ["[c-a]x", "bx"],
    ["[^a-c]x", "dx"],
    ["\\*", "*"],
    ["[\\]]", "]"],
    ["[abc", "c"],
    ["a\\", "a\\"],
    ["*\\?", "what?"],
  ];
  for (const [pattern, text] of matching) {
    it(`${pattern} matches '${text}'`, () => assert.equal(globMatches(pattern, text), true));
  }

  const others: [pattern: string, text: string][] = [
    ["", "x"],
    ["?", ""],
    ["switch-master", "+switch-master"],
    ["+switch", "+switch-master"],
    ["[-+]sdown", "+switch-master"],
    ["\\*", "x"],
    ["[^a]", "a"],
    ["a*b", "aXbc"],
    ["[]", "x"],
  ];
  for (const [pattern, text] of others) {
    it(`${pattern} doesn't match '${text}'`, () => assert.equal(globMatches(pattern, text), false));
  }

  it("is quick with a pattern that makes backtracking explode", () => {
    const begin = performance.now();
    assert.equal(globMatches(`${"a*".repeat(10_000)}b`, "a".repeat(1000)), false);
    assert.ok(performance.now() - begin < 1000);
  });
});
