import assert from "node:assert/strict";
import { problemsOfRelease, releaseNotes } from "../../../../workshop/scripts/judge-release.ts";

const good = {
  version: "1.2.3",
  lockedVersion: "1.2.3",
  changelog:
    "# Changelog\n\n## Unreleased\n\n## 1.2.3 - 2026-11-30\n\n- A thing.\n\n## 1.2.2\n\n- Another.\n",
  changed: [],
  tags: ["v1.2.2", "v1.2.30"],
};

describe("problemsOfRelease", () => {
  it("has nothing against a committed, new and described version", () => {
    assert.deepEqual(problemsOfRelease(good), []);
  });

  for (const [what, wrong, pattern] of [
    ["a version that is none", { version: "next", lockedVersion: "next" }, /'next': use one like 1\.2\.3/],
    ["another version in the lockfile", { lockedVersion: "1.2.2" }, /'1\.2\.2', package\.json '1\.2\.3'/],
    [
      "a changed tree",
      { changed: [" M a", "?? b", " M c", " M d", " M e", " M f"] },
      /\(a, b, c, d, e and 1 more\)/,
    ],
    ["a tag that exists", { tags: ["v1.2.3"] }, /The tag v1\.2\.3 exists/],
    ["no section", { changelog: "## 1.2.30\n\n- A thing.\n" }, /nothing under '## 1\.2\.3'/],
    ["an empty section", { changelog: "## 1.2.3\n\n## 1.2.2\n\n- A thing.\n" }, /nothing under '## 1\.2\.3'/],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.match(problemsOfRelease({ ...good, ...wrong }).join("\n"), pattern);
    });
  }

  it("takes the notes of the version alone", () => {
    assert.equal(releaseNotes(good.changelog, "1.2.3"), "- A thing.");
    assert.equal(releaseNotes("## [1.2.3] - today\n- A\n", "1.2.3"), "- A");
  });
});
