import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ProcessRecord, ProcessTable, startTimeOf } from "../../../../runtime/process-table.ts";
import { eventually } from "../../../support/eventually.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";

describe("ProcessTable", () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let file: string;
  let table: ProcessTable;
  beforeEach(() => {
    directory = temporaryDirectory();
    file = join(directory.path, "processes.json");
    table = open();
  });
  afterEach(async () => {
    for (const { name } of table.running) await table.stop(name, 100);
    directory.remove();
  });

  const open = () => new ProcessTable(file, join(directory.path, "logs"));
  const environment = { PATH: process.env.PATH ?? "" };
  const start = (name: string, script: string) => table.start(name, "sh", ["-c", script], environment);
  const records = () => JSON.parse(readFileSync(file, "utf8")) as ProcessRecord[];
  const logged = (name: string, text: RegExp) =>
    eventually(() => assert.match(readFileSync(table.logOf(name), "utf8"), text));

  it("starts a process, writes its output to a log, and finds it again in another run", async () => {
    start("part", "echo started; exec sleep 60");
    await logged("part", /started/);
    assert.deepEqual(
      open().running.map(({ name }) => name),
      ["part"],
    );
    assert.ok(open().isRunning("part"));
  });

  it("ends a process gently", async () => {
    start("part", 'trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.05; done');
    await logged("part", /ready/);
    await table.stop("part");
    assert.match(readFileSync(table.logOf("part"), "utf8"), /bye/);
    assert.ok(!table.isRunning("part"));
  });

  it("ends one that doesn't listen by force, with its children", async () => {
    start("part", 'trap "" TERM; sleep 60 & echo child $!; while :; do sleep 0.05; done');
    await logged("part", /child \d+/);
    const child = Number(/child (\d+)/.exec(readFileSync(table.logOf("part"), "utf8"))?.[1]);
    assert.ok(startTimeOf(child) !== undefined);
    await table.stop("part", 100);
    await eventually(() => assert.equal(startTimeOf(child), undefined));
  });

  it("never touches a later process that got the number of an earlier one", async () => {
    start("part", "exec sleep 60");
    const [record] = records();
    assert.ok(record);
    writeFileSync(file, JSON.stringify([{ ...record, startTime: String(Number(record.startTime) - 1) }]));
    const later = open();
    assert.deepEqual(later.running, []);
    later.signal("part", "SIGKILL");
    await later.stop("part", 0);
    assert.equal(startTimeOf(record.pid), record.startTime);
  });

  it("forgets those that have ended when it remembers another", async () => {
    start("short", "exec sleep 0.3");
    await eventually(() => assert.ok(!table.isRunning("short")));
    start("long", "exec sleep 60");
    assert.deepEqual(
      records().map(({ name }) => name),
      ["long"],
    );
  });

  it("freezes and kills", async () => {
    start("part", "exec sleep 60");
    const pid = records()[0]?.pid ?? 0;
    table.signal("part", "SIGSTOP");
    await eventually(() => assert.match(readFileSync(`/proc/${pid}/stat`, "utf8"), /\) T /));
    table.signal("part", "SIGKILL");
    await eventually(() => assert.ok(!table.isRunning("part")));
  });

  it("stops one that is gone already, or never was", async () => {
    await table.stop("nobody");
    table.signal("nobody", "SIGKILL");
  });

  it("says that a program isn't there, and where the log is", () => {
    assert.throws(
      () => table.start("part", "/no/such/program", [], environment),
      /part did not start \(log: .*part\.log\)/,
    );
  });

  it("reads when a process started, and nothing of one that is missing", () => {
    assert.match(startTimeOf(process.pid) ?? "", /^\d+$/);
    assert.equal(startTimeOf(2 ** 22 + 1), undefined);
  });
});
