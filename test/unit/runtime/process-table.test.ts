import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProcessTable, startTimeOf } from "../../../runtime/process-table.ts";
import { eventually } from "../../support/eventually.ts";

describe("ProcessTable", () => {
  let directory: string;
  let table: ProcessTable;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "redis-ha-table-"));
    table = new ProcessTable(join(directory, "processes.json"), join(directory, "logs"));
  });

  afterEach(async () => {
    await table.stop("one");
    rmSync(directory, { recursive: true, force: true });
  });

  /** Starts a shell that starts another process, and gives the numbers of both. */
  async function startFamily(): Promise<{ parent: number; child: number }> {
    table.start("one", "/bin/sh", ["-c", "sleep 300 & echo child=$!; wait"], {
      PATH: process.env.PATH ?? "",
    });
    const child = await eventually(() => {
      const match = /child=(\d+)/.exec(readFileSync(table.logOf("one"), "utf8"));
      assert.ok(match);
      return Number(match[1]);
    });
    const parent = table.running[0]?.pid;
    assert.ok(parent);
    return { parent, child };
  }

  it("ends what a killed process has left, also in another run", async () => {
    const { parent, child } = await startFamily();
    process.kill(parent, "SIGKILL");
    await eventually(() => assert.ok(!table.isRunning("one")));
    assert.notEqual(startTimeOf(child), undefined, "the child goes on");
    const later = new ProcessTable(join(directory, "processes.json"), join(directory, "logs"));
    await later.stop("one");
    assert.equal(startTimeOf(child), undefined);
  });

  it("knows what another command has started since, and forgets nothing of it", async () => {
    const other = new ProcessTable(join(directory, "processes.json"), join(directory, "logs"));
    const { parent } = await startFamily();
    assert.deepEqual(
      other.running.map(({ pid }) => pid),
      [parent],
    );
    other.start("two", "/bin/sleep", ["300"], {});
    assert.ok(table.isRunning("two"));
    await table.stop("two");
    assert.ok(other.isRunning("one") && !other.isRunning("two"));
  });

  it("signals a process together with what it started", async () => {
    const { parent, child } = await startFamily();
    table.signal("one", "SIGKILL");
    await eventually(() =>
      assert.deepEqual([startTimeOf(parent), startTimeOf(child)], [undefined, undefined]),
    );
  });

  it("leaves a process alone whose number is in the file with another start time", async () => {
    const { parent } = await startFamily();
    const file = join(directory, "other.json");
    writeFileSync(file, JSON.stringify([{ name: "one", pid: parent, startTime: "1" }]));
    const other = new ProcessTable(file, join(directory, "logs"));
    assert.deepEqual(other.running, []);
    other.signal("one", "SIGKILL");
    await other.stop("one");
    assert.ok(table.isRunning("one"));
    table.signal("one", "SIGKILL");
  });
});
