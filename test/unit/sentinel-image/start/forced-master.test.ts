import assert from "node:assert/strict";
import { join } from "node:path";
import { takeForcedMaster } from "../../../../sentinel-image/start/forced-master.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";
import { instance } from "../../../support/sentinel-views.ts";

describe("an operator's order to become master", () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => directory.remove());
  const take = (order: string | undefined): boolean =>
    takeForcedMaster(order, instance(1), join(directory.path, "forced"));

  it("counts for the named instance, by name or address", () => {
    assert.equal(take("redis-1:may"), true);
    assert.equal(take("redis-1:6379:june"), true);
  });
  it("counts once: one that was forgotten must not make a second master later", () => {
    assert.equal(take("redis-1:may"), true);
    assert.equal(take("redis-1:may"), false);
    assert.equal(take("redis-1:june"), true);
  });
  for (const order of [undefined, "", "redis-1", "redis-2:may", ":may", "redis-1:"]) {
    it(`doesn't come from ${order === undefined ? "nothing" : `'${order}'`}`, () =>
      assert.equal(take(order), false));
  }
});
