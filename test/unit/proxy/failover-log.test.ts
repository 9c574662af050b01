import assert from "node:assert/strict";
import { pino } from "pino";
import { FailoverLog } from "../../../proxy/failover-log.ts";
import type { MasterState } from "../../../quorum/master-state.ts";
import { instance } from "../../support/sentinel-views.ts";

const following = (index: number): MasterState => ({
  kind: "following",
  master: instance(index),
  configEpoch: index,
});
const lost: MasterState = { kind: "searching", reason: "no answer" };
const suspecting: MasterState = {
  ...lost,
  suspect: { master: instance(1), configEpoch: 1, failures: 1, sinceMs: 0 },
};

describe("FailoverLog", () => {
  let lines: Record<string, unknown>[];
  let failovers: number;

  function record(...states: MasterState[]): string[] {
    lines = [];
    failovers = 0;
    const write = (line: string): void => {
      lines.push(JSON.parse(line) as Record<string, unknown>);
    };
    const log = new FailoverLog(pino({}, { write }), () => failovers++);
    for (const state of states) log.record(state);
    return lines.map(({ msg }) => String(msg));
  }

  it("finds a first master without calling it a failover", () => {
    assert.deepEqual(record(following(1)), ["found the master"]);
    assert.equal(failovers, 0);
  });

  it("writes one line for a failover, with both masters, the reason and the time without one", () => {
    assert.deepEqual(record(following(1), lost, following(2)), ["found the master", "no master", "failover"]);
    const last = lines.at(-1);
    assert.deepEqual(
      [last?.before, last?.master, last?.configEpoch, last?.reason],
      ["redis-1:6379", "redis-2:6379", 2, "no answer"],
    );
    assert.equal(typeof last?.withoutMasterMs, "number");
    assert.equal(failovers, 1);
  });

  it("counts a failover that had no gap", () => {
    assert.deepEqual(record(following(1), following(2)), ["found the master", "failover"]);
    assert.equal(lines.at(-1)?.withoutMasterMs, undefined);
    assert.equal(failovers, 1);
  });

  it("doesn't count a master that is back", () => {
    assert.deepEqual(record(following(1), lost, following(1)), [
      "found the master",
      "no master",
      "the master is back",
    ]);
    assert.equal(failovers, 0);
  });

  it("counts the time from the first doubt, and says no sooner that there is no master than it is lost", () => {
    assert.deepEqual(record(following(1), suspecting, following(1)), [
      "found the master",
      "the master doesn't answer: new clients wait",
      "the master is back",
    ]);
    assert.ok(!lines.some(({ level }) => Number(level) > 30));
  });
});
