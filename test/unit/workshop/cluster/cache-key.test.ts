import assert from "node:assert/strict";
import { cpSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheKey } from "../../../../workshop/cluster/programs.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";

describe("cacheKey", () => {
  const build = { packages: ["."], ldflags: "-X v=1" };
  let directories: ReturnType<typeof temporaryDirectory>[];
  let source: string;
  beforeEach(() => {
    const directory = temporaryDirectory();
    directories = [directory];
    source = directory.path;
    writeFileSync(join(source, "go.mod"), "module a\n");
    writeFileSync(join(source, "main.go"), "package main\n");
  });
  afterEach(() => {
    for (const directory of directories) directory.remove();
  });

  it("is the same for the same files in another checkout, whenever they were written", () => {
    const copy = temporaryDirectory();
    directories.push(copy);
    cpSync(source, copy.path, { recursive: true });
    utimesSync(join(copy.path, "main.go"), 1, 1);
    assert.equal(cacheKey(copy.path, build), cacheKey(source, build));
    assert.match(cacheKey(source, build), /^[0-9a-f]{16}$/);
  });

  const changes: readonly (readonly [string, () => void])[] = [
    ["content of a file", () => writeFileSync(join(source, "go.mod"), "module b\n")],
    ["name of a file", () => renameSync(join(source, "main.go"), join(source, "other.go"))],
    ["new file", () => writeFileSync(join(source, "go.sum"), "")],
    [
      "text that moves from one file to the next",
      () => {
        writeFileSync(join(source, "go.mod"), "module a\npackage ");
        writeFileSync(join(source, "main.go"), "main\n");
      },
    ],
  ];
  for (const [name, change] of changes) {
    it(`changes with the ${name}`, () => {
      const before = cacheKey(source, build);
      change();
      assert.notEqual(cacheKey(source, build), before);
    });
  }

  it("changes with the packages and the flags", () => {
    const keys = [build, { ...build, ldflags: "-X v=2" }, { ...build, packages: [".", "x"] }].map(
      (programs) => cacheKey(source, programs),
    );
    assert.equal(new Set(keys).size, 3);
  });
});
