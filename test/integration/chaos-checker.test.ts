import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkRegisters, type RegisterReport } from "../../workshop/chaos/check-registers.ts";
import { checkLedger } from "../../workshop/chaos/checker.ts";
import type { ClientReport } from "../../workshop/chaos/client-report.ts";
import { WorkloadProcess } from "../../workshop/chaos/workload-process.ts";
import { eventually } from "../support/eventually.ts";
import { type Flaw, FlawedRedis } from "../support/flawed-redis.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

const worker = fileURLToPath(new URL("../../workshop/chaos/workers/ioredis.ts", import.meta.url));
const enough = 900;
const never = { beginMs: 0, endMs: 0 };

interface Books {
  readonly ledger: ClientReport;
  readonly registers: RegisterReport;
}

describe("chaos: the real worker against a server that does one thing wrong", function () {
  this.timeout(30_000);
  const directory = temporaryDirectory();
  const passwordFile = join(directory.path, "password");
  before(() => writeFileSync(passwordFile, "secret\n"));
  after(() => directory.remove());

  async function run(flaw: Flaw): Promise<Books> {
    const server = await new FlawedRedis(flaw).start();
    const client = "a";
    const workload = new WorkloadProcess({
      client,
      program: { command: process.execPath, args: [worker] },
      proxy: server.address,
      passwordFile,
      pauseMs: 2,
    });
    try {
      await workload.ready();
      workload.round("one");
      await eventually(() => assert.ok(workload.operations("one").length >= enough), { withinMs: 15_000 });
      workload.round("two");
      assert.ok(await workload.drained("one", 5000));
      const operations = workload.take("one");
      const [ledger] = checkLedger(
        { operations, disconnects: workload.disconnects },
        server.finalData("one", client),
      );
      assert.ok(ledger);
      return { ledger, registers: checkRegisters(operations, never) };
    } finally {
      await workload.stop();
      await server.stop();
    }
  }

  it("finds nothing where nothing is wrong", async () => {
    const { ledger, registers } = await run("none");
    const { duplicates, lost, reordered, phantom, rolledBack, wrong, refusedButExecuted } = ledger;
    assert.deepEqual(
      { duplicates, lost, reordered, phantom, rolledBack, wrong, refusedButExecuted },
      {
        ...{ duplicates: [], lost: [], reordered: [], phantom: [], rolledBack: [], wrong: [] },
        refusedButExecuted: [],
      },
    );
    assert.deepEqual(registers.violated, []);
    assert.ok(registers.checked > 1);
  });

  // Each kind of command must show it: a checker that is blind for one of them would go unnoticed.
  const kinds = (findings: readonly string[]): string[] => [
    ...new Set(findings.map((text) => text.split(" ")[0] ?? "")),
  ];

  it("finds lost writes of every kind", async () => {
    const { ledger, registers } = await run("loses");
    assert.deepEqual(kinds(ledger.lost).sort(), ["INCR", "RPUSH", "SADD", "SET"]);
    assert.notDeepEqual(registers.violated, []);
  });

  it("finds writes that ran twice", async () => {
    const { ledger } = await run("repeats");
    assert.deepEqual(kinds(ledger.duplicates).sort(), ["INCR", "RPUSH"]);
  });

  it("finds writes that took effect in another order", async () => {
    const { ledger } = await run("reorders");
    assert.notDeepEqual(ledger.reordered, []);
    assert.deepEqual(ledger.lost, []);
  });

  it("finds reads of what was overwritten before", async () => {
    const { ledger, registers } = await run("readsOld");
    assert.notDeepEqual(registers.violated, []);
    assert.deepEqual(ledger.lost, []);
  });

  it("finds writes that were refused and executed", async () => {
    const { ledger } = await run("liesAboutRefusal");
    assert.deepEqual(kinds(ledger.refusedButExecuted).sort(), ["RPUSH", "SADD", "SET"]);
    // An increment has no name: it is one too many.
    assert.deepEqual(kinds(ledger.duplicates), ["INCR"]);
  });

  it("finds elements that nobody wrote", async () => {
    const { ledger } = await run("invents");
    assert.ok(ledger.phantom.length > 0);
  });
});
