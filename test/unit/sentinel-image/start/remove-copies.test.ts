import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removeCopies } from "../../../../sentinel-image/start/remove-copies.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";

describe("removeCopies", () => {
  const { path, remove } = temporaryDirectory();
  after(remove);

  it("leaves nothing that a server would load, and everything else", () => {
    mkdirSync(join(path, "ha"));
    for (const name of ["dump.rdb", "temp-1-2.rdb", "own.txt"]) writeFileSync(join(path, name), "");
    removeCopies(path);
    assert.deepEqual(readdirSync(path).toSorted(), ["ha", "own.txt"]);
    removeCopies(join(path, "not there yet"));
  });
});
