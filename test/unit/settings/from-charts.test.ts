import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { allSettings } from "../../../settings/parse-settings.ts";

const page = readFileSync(new URL("../../../docs/from-charts.md", import.meta.url), "utf8");
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| Bitnami"))
  .map((line) =>
    line
      .split("|")
      .map((cell) => cell.trim())
      .slice(1, -1),
  );

describe("the table of chart values", () => {
  it("maps forty values and more, each of a chart at least, to settings that exist", () => {
    const known = new Set(allSettings().map(([name]) => name));
    assert.ok(rows.length >= 40, `${rows.length} rows`);
    for (const row of rows) {
      assert.equal(row.length, 4, row.join(" | "));
      assert.ok(
        row.slice(0, 3).some((cell) => cell.includes("`")),
        `no chart has it: ${row.join(" | ")}`,
      );
      const settings = [...(row[3] ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? "");
      assert.ok(settings.length > 0, `no setting: ${row.join(" | ")}`);
      for (const setting of settings) assert.ok(known.has(setting), setting);
    }
  });

  it("has no value twice", () => {
    for (const chart of [0, 1, 2]) {
      const values = rows.map((row) => row[chart] ?? "").filter((cell) => cell.startsWith("`"));
      const more = values.filter((value, i) => values.indexOf(value) !== i);
      assert.deepEqual(more, [], `column ${chart + 1}`);
    }
  });
});
