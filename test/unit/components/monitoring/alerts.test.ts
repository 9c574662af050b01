import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { alertRules } from "../../../../components/monitoring/alert-rules.ts";
import { findProgram } from "../../../../runtime/find-program.ts";
import {
  type AlertCase,
  alertCases,
  calmSeries,
  movingSeries,
  type Series,
  scope,
} from "../../../support/alert-cases.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";

const rules = alertRules(scope);
const troubleshooting = readFileSync(
  fileURLToPath(new URL("../../../../docs/troubleshooting.md", import.meta.url)),
  "utf8",
);

/** One case as promtool takes it: all other series are as in calm. */
function unitTest({ alert, series, labels, atSeconds, alsoFiring = [] }: AlertCase, fires: boolean): object {
  const changed = new Set(series.map(([name]) => name));
  const all = [...calmSeries.filter(([name]) => !changed.has(name)), ...series];
  const expected = (name: string, some: Readonly<Record<string, string>>): object => {
    const rule = rules.find((one) => one.alert === name);
    const fill = (text: string): string =>
      text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, key: string) => some[key] ?? "");
    return {
      exp_labels: { ...some, ...rule?.labels },
      exp_annotations: Object.fromEntries(
        Object.entries(rule?.annotations ?? {}).map(([key, text]) => [key, fill(text)]),
      ),
    };
  };
  // Each alert is asked for: one that fires beside the wanted one is a finding, too.
  const others = rules
    .map((rule) => rule.alert)
    .filter((name) => name !== alert && !alsoFiring.includes(name));
  return {
    name: `${alert}${fires ? "" : ", not yet"}`,
    interval: "5s",
    input_series: all.map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [
      {
        eval_time: `${fires ? atSeconds : Math.max(0, atSeconds - 10)}s`,
        alertname: alert,
        exp_alerts: fires ? [expected(alert, labels)] : [],
      },
      ...(fires ? others : []).map((alertname) => ({
        eval_time: `${atSeconds}s`,
        alertname,
        exp_alerts: [],
      })),
    ],
  };
}

describe("the alerts", function () {
  // Two seconds of a processor's time.
  this.timeout(120_000);

  it("each have a summary, what to do, and a section of docs/troubleshooting.md", () => {
    for (const { alert, annotations } of rules) {
      const { summary, description, runbook } = annotations;
      assert.ok(summary.length > 20 && description.length > 20, alert);
      assert.equal(runbook, `docs/troubleshooting.md#${alert.toLowerCase()}`);
      assert.match(troubleshooting, new RegExp(`^### ${alert}\\n\\n\\S.{40,}`, "m"));
    }
  });

  it("each have a case in which they fire", () => {
    assert.deepEqual(
      alertCases.map(({ alert }) => alert).toSorted(),
      rules.map(({ alert }) => alert).toSorted(),
    );
  });

  it("fire when they should, not a moment before, no other one with them, and none in calm (promtool)", async function () {
    let promtool = "";
    try {
      promtool = findProgram("promtool", process.env.PATH);
    } catch {
      this.skip();
    }
    const directory = temporaryDirectory();
    try {
      writeFileSync(
        join(directory.path, "rules.json"),
        JSON.stringify({ groups: [{ name: "redis-ha", rules }] }),
      );
      const moving = new Map([...calmSeries, ...movingSeries]);
      const calm = (name: string, series: Iterable<Series>): object => ({
        name,
        interval: "5s",
        input_series: [...series].map(([one, values]) => ({ series: one, values })),
        alert_rule_test: rules.flatMap(({ alert }) =>
          ["60s", "1000s"].map((eval_time) => ({ eval_time, alertname: alert, exp_alerts: [] })),
        ),
      });
      const tests = [
        calm("calm", calmSeries),
        calm("moving in", moving),
        ...alertCases.flatMap((one) => [
          unitTest(one, true),
          ...(one.wait > 0 ? [unitTest(one, false)] : []),
        ]),
      ];
      const file = join(directory.path, "tests.json");
      writeFileSync(file, JSON.stringify({ rule_files: ["rules.json"], evaluation_interval: "5s", tests }));
      const { exitCode, all } = await execa(promtool, ["test", "rules", file], { all: true, reject: false });
      assert.equal(exitCode, 0, all);
    } finally {
      directory.remove();
    }
  });
});
