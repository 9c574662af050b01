import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  hashContext,
  isIgnored,
  parseIgnoreFile,
} from "../../../../../workshop/cluster/providers/docker/context-hash.ts";
import { temporaryDirectory } from "../../../../support/redis-process.ts";

describe("an ignore file", () => {
  const rows: readonly (readonly [rules: string, path: string, ignored: boolean])[] = [
    ["", "a.ts", false],
    ["*.log", "a.log", true],
    ["*.log", "b/a.log", false],
    ["**/*.log", "b/c/a.log", true],
    ["node_modules", "node_modules/a/b.js", true],
    ["node_modules/", "node_modules/a", true],
    ["/dist", "dist/a", true],
    ["dist", "distance", false],
    ["a?c", "abc", true],
    ["a?c", "a/c", false],
    ["a.c", "abc", false],
    ["# a", "# a", false],
    ["*\n!Dockerfile", "Dockerfile", false],
    ["*\n!Dockerfile", "other", true],
    ["*\n!dist/main.js", "dist/main.js", false],
    ["*\n!dist/main.js", "dist/other.js", true],
    ["!a\na", "a", true],
  ];
  for (const [rules, path, ignored] of rows) {
    it(`${JSON.stringify(rules)} ${ignored ? "leaves out" : "keeps"} ${path}`, () => {
      assert.equal(isIgnored(path, parseIgnoreFile(rules)), ignored);
    });
  }
});

describe("hashContext", () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  beforeEach(() => {
    directory = temporaryDirectory();
    mkdirSync(join(directory.path, "sub"));
    write("Dockerfile", "FROM x\n");
    write("sub/a", "a");
    write("notes.log", "1");
    write(".dockerignore", "*.log\n");
  });
  afterEach(() => directory.remove());

  const at = (name: string) => join(directory.path, name);
  const write = (name: string, text: string) => writeFileSync(at(name), text);
  const hash = () => hashContext(directory.path, at("Dockerfile"));

  const rows: readonly (readonly [string, boolean, () => void])[] = [
    ["a file's content", true, () => write("sub/a", "b")],
    ["a new file", true, () => write("sub/b", "")],
    ["a file's name", true, () => [rmSync(at("sub/a")), write("sub/c", "a")]],
    ["a file's mode", true, () => chmodSync(at("sub/a"), 0o755)],
    ["the Dockerfile", true, () => write("Dockerfile", "FROM y\n")],
    ["a link", true, () => symlinkSync("a", at("sub/link"))],
    ["an ignored file", false, () => write("notes.log", "2")],
    ["a file's time", false, () => utimesSync(at("sub/a"), 1, 1)],
    ["an empty folder", false, () => mkdirSync(at("empty"))],
  ];
  for (const [name, changes, change] of rows) {
    it(`${changes ? "changes with" : "doesn't depend on"} ${name}`, () => {
      const before = hash();
      change();
      if (changes) assert.notEqual(hash(), before);
      else assert.equal(hash(), before);
    });
  }

  it("prefers the Dockerfile's own ignore file", () => {
    write("Dockerfile.dockerignore", "sub\n");
    const before = hash();
    write("sub/a", "changed");
    assert.equal(hash(), before);
    write("notes.log", "changed");
    assert.notEqual(hash(), before);
  });
});
