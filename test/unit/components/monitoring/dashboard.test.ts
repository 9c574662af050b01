import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dashboardQueries, grafanaDashboard } from "../../../../components/monitoring/dashboard.ts";

const file = fileURLToPath(new URL("../../../../docs/grafana-dashboard.json", import.meta.url));

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly refId: string }[];
}

const { panels } = grafanaDashboard() as { readonly panels: readonly Panel[] };

describe("the dashboard", () => {
  it("is the one in docs/: npm run generate", () =>
    assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), grafanaDashboard()));

  it("shows one set, chosen by its namespace and name", () => {
    for (const { expr } of dashboardQueries) {
      const metrics = expr.match(/redis_[a-z0-9_]+\{/g) ?? [];
      const scoped = expr.match(/\{namespace="\$namespace",app_kubernetes_io_name="\$set"/g) ?? [];
      assert.ok(metrics.length > 0 && metrics.length === scoped.length, expr);
    }
  });

  it("has no two panels in one place, and none beside the grid", () => {
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      assert.ok(x >= 0 && x + w <= 24);
      return Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`);
    });
    assert.equal(new Set(cells).size, cells.length);
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    for (const { targets } of panels)
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length);
  });
});
