import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readPassword } from "../../../runtime/password-file.ts";
import { temporaryDirectory } from "../../support/redis-process.ts";

describe("readPassword", () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let file: string;
  beforeEach(() => {
    directory = temporaryDirectory();
    file = join(directory.path, "password");
  });
  afterEach(() => directory.remove());

  it("gives nothing without a file: no authentication", () =>
    assert.equal(readPassword(undefined), undefined));

  it("leaves out the line end", () => {
    writeFileSync(file, "se cret\r\n");
    assert.equal(readPassword(file), "se cret");
  });

  it("keeps blanks at the end: they belong to the password", () => {
    writeFileSync(file, "secret \n");
    assert.equal(readPassword(file), "secret ");
  });

  it("refuses an empty or missing file instead of going on without a password", () => {
    assert.throws(() => readPassword(file), /ENOENT/);
    writeFileSync(file, "\n");
    assert.throws(() => readPassword(file), /is empty: write the password into it/);
  });

  it("refuses a second line, which would end up in a configuration file", () => {
    writeFileSync(file, "one\ntwo\n");
    assert.throws(() => readPassword(file), /has 2 lines: write the password alone into it/);
  });
});
