import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../../../runtime/log.ts";
import {
  fenceFile,
  forceFile,
  heedRestartOrders,
  restartFile,
  takeForceOrder,
  whileFenced,
} from "../../../../sentinel-image/start/standing-orders.ts";
import { eventually } from "../../../support/eventually.ts";

describe("an operator's standing orders", () => {
  const log = createLog("test", "silent");
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "redis-ha-standing-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("restart once, and not for an order that an earlier run has left", async () => {
    const file = join(directory, restartFile);
    writeFileSync(file, "");
    const end = new AbortController();
    let stops = 0;
    const heeding = heedRestartOrders({ directory, stop: () => stops++, log, signal: end.signal });
    assert.ok(!existsSync(file));
    writeFileSync(file, "");
    await heeding;
    assert.equal(stops, 1);
    assert.ok(!existsSync(file));
    end.abort();
  });

  it("keep an instance from starting as long as the fence stands", async () => {
    writeFileSync(join(directory, fenceFile), "a disk is replaced\n");
    let fenced = 0;
    let over = false;
    const waiting = whileFenced({
      directory,
      onFenced: () => fenced++,
      log,
      signal: new AbortController().signal,
    }).then(() => {
      over = true;
    });
    await eventually(() => assert.equal(fenced, 1));
    assert.ok(!over);
    rmSync(join(directory, fenceFile));
    await waiting;
  });

  it("end with their instance", async () => {
    writeFileSync(join(directory, fenceFile), "");
    const end = new AbortController();
    const waiting = whileFenced({ directory, onFenced: () => end.abort(), log, signal: end.signal });
    await assert.rejects(waiting, { name: "AbortError" });
  });

  it("make a master once", () => {
    assert.equal(takeForceOrder(directory), false);
    writeFileSync(join(directory, forceFile), "now\n");
    assert.equal(takeForceOrder(directory), true);
    assert.equal(takeForceOrder(directory), false);
  });
});
