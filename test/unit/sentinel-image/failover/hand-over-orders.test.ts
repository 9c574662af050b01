import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { type Address, formatAddress } from "../../../../runtime/address.ts";
import {
  answerFile,
  orderFile,
  orderingScript,
  readOrderOutput,
} from "../../../../runtime/hand-over-order.ts";
import { createLog } from "../../../../runtime/log.ts";
import { readOrder, takeHandOverOrders } from "../../../../sentinel-image/failover/hand-over-orders.ts";
import { eventually } from "../../../support/eventually.ts";

describe("an operator's order on the volume of an instance", () => {
  let directory: string;
  let end: AbortController;
  let heirs: string[];
  let left: string[];
  let taking: Promise<void>;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "redis-ha-orders-"));
    end = new AbortController();
    heirs = [];
    left = [];
  });

  afterEach(async () => {
    end.abort();
    await taking;
    rmSync(directory, { recursive: true });
  });

  function start(): void {
    taking = takeHandOverOrders({
      directory,
      handOver: async ([heir]) => {
        heirs.push(formatAddress(heir as Address));
        return { successor: heir, reason: "it is the master", pausedMs: 120 };
      },
      cutOver: async () => ({ successor: { host: "redis-1", port: 6379 }, reason: "cut over", pausedMs: 7 }),
      leave: async (staying, forMs) => {
        left.push(`${staying.map(formatAddress).join()} for ${forMs}`);
        return {
          successor: undefined,
          reason: "this instance is a replica",
          pausedMs: undefined,
          leads: { host: "redis-1", port: 6379 },
        };
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

  it("tells an instance that it is going to be removed: nobody takes that for an order to hand over", async () => {
    start();
    const leaving = { staying: ["redis-1:6379", "redis-2:6379"], forMs: 9000 };
    put(JSON.stringify({ id: "go", heir: "redis-1:6379", leaving }));
    const answer = await eventually(
      () => JSON.parse(readFileSync(join(directory, answerFile), "utf8")) as object,
    );
    assert.deepEqual(answer, {
      id: "go",
      successor: "",
      reason: "this instance is a replica",
      pausedMs: null,
      leads: "redis-1:6379",
    });
    assert.deepEqual([heirs, left], [[], ["redis-1:6379,redis-2:6379 for 9000"]]);
  });

  it("is put there, and its answer read, by the shell of the container", async () => {
    mkdirSync(join(directory, "data"));
    symlinkSync(directory, join(directory, "data", "ha"));
    start();
    const order = { id: "shell", heir: "redis-3:6379" };
    const { stdout } = await execa("sh", ["-c", orderingScript(order)], {
      env: { REDIS_DATA_DIR: join(directory, "data") },
    });
    assert.deepEqual(readOrderOutput(stdout, order), {
      id: "shell",
      successor: "redis-3:6379",
      reason: "it is the master",
      pausedMs: 120,
    });
    assert.equal(readOrderOutput("@untaken", order), "untaken");
    assert.equal(readOrderOutput("@taken", order), "unanswered");
    assert.equal(readOrderOutput("", order), "unanswered");
  });

  it("to leave names who stays, and for how long", () => {
    for (const leaving of [
      {},
      { staying: [], forMs: 1 },
      { staying: ["redis-1:6379"] },
      { staying: [""], forMs: 1 },
    ])
      assert.throws(() => readOrder(JSON.stringify({ id: "a", heir: "redis-1:6379", leaving })));
  });

  it("names its heir with a port", () => {
    for (const text of ["{}", '{"id":"a"}', '{"id":"a","heir":""}', '{"id":"a","heir":"redis-2"}'])
      assert.throws(() => readOrder(text), text);
  });
});
