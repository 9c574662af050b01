import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../../runtime/replace-file.ts";
import { temporaryDirectory } from "../../support/redis-process.ts";

describe("replaceFile", () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let file: string;
  beforeEach(() => {
    directory = temporaryDirectory();
    file = join(directory.path, "state");
  });
  afterEach(() => directory.remove());

  it("writes a new file that only its owner reads", () => {
    replaceFile(file, "text");
    assert.equal(readFileSync(file, "utf8"), "text");
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it("replaces a longer text and leaves no other file behind", () => {
    writeFileSync(file, "x".repeat(100_000));
    replaceFile(file, "short");
    assert.equal(readFileSync(file, "utf8"), "short");
    assert.deepEqual(readdirSync(directory.path), ["state"]);
  });

  it("doesn't take over the mode of a temporary file that a crash left behind", () => {
    writeFileSync(`${file}.tmp`, "half", { mode: 0o644 });
    replaceFile(file, "secret");
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it("leaves the old text alone when only a part of the new one can be written", () => {
    replaceFile(file, "old");
    // A limit of the file size stops a writer in the middle, as a full disk does.
    const program = `import { replaceFile } from ${JSON.stringify(import.meta.resolve("../../../runtime/replace-file.ts"))};
      process.on("SIGXFSZ", () => undefined);
      replaceFile(${JSON.stringify(file)}, "new".repeat(10_000));`;
    const child = spawnSync(
      "sh",
      ["-c", 'ulimit -f 4; exec "$0" --input-type=module -e "$1"', process.execPath, program],
      { encoding: "utf8" },
    );
    assert.match(child.stderr, /EFBIG/);
    assert.equal(readFileSync(file, "utf8"), "old");
  });

  it("says that the directory is missing", () => {
    assert.throws(() => replaceFile(join(directory.path, "missing", "state"), "text"), /ENOENT/);
  });
});
