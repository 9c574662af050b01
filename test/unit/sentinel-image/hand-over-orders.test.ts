import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatAddress } from "../../../runtime/address.ts";
import { createLog } from "../../../runtime/log.ts";
import {
  answerFile,
  orderFile,
  readOrder,
  takeHandOverOrders,
} from "../../../sentinel-image/hand-over-orders.ts";
import { eventually } from "../../support/eventually.ts";

describe("an operator's order on the volume of an instance", () => {
  let directory: string;
  let end: AbortController;
  let heirs: string[];
  let taking: Promise<void>;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "redis-ha-orders-"));
    end = new AbortController();
    heirs = [];
  });

  afterEach(async () => {
    end.abort();
    await taking;
    rmSync(directory, { recursive: true });
  });

  function start(): void {
    taking = takeHandOverOrders({
      directory,
      handOver: async (heir) => {
        heirs.push(formatAddress(heir));
        return { successor: heir, reason: "it is the master", pausedMs: 120 };
      },
      log: createLog("test", "silent"),
      signal: end.signal,
    });
  }

  const put = (text: string): void => writeFileSync(join(directory, orderFile), text);

  it("is taken once and answered", async () => {
    start();
    put('{"id":"one","heir":"redis-2:6379"}');
    const answer = await eventually(
      () => JSON.parse(readFileSync(join(directory, answerFile), "utf8")) as object,
    );
    assert.deepEqual(answer, {
      id: "one",
      successor: "redis-2:6379",
      reason: "it is the master",
      pausedMs: 120,
    });
    assert.equal(existsSync(join(directory, orderFile)), false);
    assert.deepEqual(heirs, ["redis-2:6379"]);
  });

  it("is none when an earlier run has left it behind: nobody waits for it any more", async () => {
    put('{"id":"old","heir":"redis-2:6379"}');
    start();
    await eventually(() => assert.equal(existsSync(join(directory, orderFile)), false));
    put('{"id":"new","heir":"redis-3:6379"}');
    await eventually(() => assert.deepEqual(heirs, ["redis-3:6379"]));
  });

  it("is thrown away when it is nonsense, and the next one is taken", async () => {
    start();
    put('{"id":"one"');
    await eventually(() => assert.equal(existsSync(join(directory, orderFile)), false));
    put('{"id":"two","heir":"redis-3:6379"}');
    await eventually(() => assert.deepEqual(heirs, ["redis-3:6379"]));
  });

  it("names its heir with a port", () => {
    for (const text of ["{}", '{"id":"a"}', '{"id":"a","heir":""}', '{"id":"a","heir":"redis-2"}'])
      assert.throws(() => readOrder(text), text);
  });
});
