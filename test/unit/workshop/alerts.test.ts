import assert from "node:assert/strict";
import { alertRules } from "../../../components/monitoring/alert-rules.ts";
import { renderAlerts } from "../../../workshop/alerts/command.ts";
import { situations } from "../../../workshop/alerts/situations.ts";
import { judgeAlerts } from "../../../workshop/alerts/try-situation.ts";

describe("redis-ha alerts", () => {
  for (const [name, wanted, fired, wrong] of [
    ["what fires in time", ["A"], { A: 30 }, []],
    ["nothing where nothing should", [], {}, []],
    ["what is late", ["A"], { A: 31 }, ["A did not fire within 30 s"]],
    ["what is missing", ["A"], {}, ["A did not fire within 30 s"]],
    ["what is one too many", ["A"], { A: 1, B: 2 }, ["B fired and should not have"]],
  ] as const) {
    it(`judges ${name}`, () => assert.deepEqual(judgeAlerts(wanted, 30, fired), wrong));
  }

  it("expects no alert that there is not", () => {
    const known = alertRules({ namespace: "n", name: "s", instances: 3, sentinels: 3 }).map(
      ({ alert }) => alert,
    );
    for (const { name, fires } of situations)
      assert.deepEqual(
        fires.filter((alert) => !known.includes(alert)),
        [],
        name,
      );
  });

  it("renders a table", () =>
    assert.equal(
      renderAlerts([{ name: "x", fired: { B: 2, A: 1 }, wrong: ["B fired"] }]).split("\n")[2],
      "| x | A (1 s), B (2 s) | B fired |",
    ));
});
