import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LocalTopology } from "../../cli/local/local-topology.ts";
import { alertRules } from "../../components/monitoring/alert-rules.ts";
import { dashboardQueries } from "../../components/monitoring/dashboard.ts";
import { findProgram } from "../../runtime/find-program.ts";
import { localNamespace, localSet, Prometheus } from "../../workshop/alerts/prometheus.ts";
import type { ClusterControl } from "../../workshop/chaos/cluster-control.ts";
import { eventually } from "../support/eventually.ts";
import { startObserved } from "../support/observed-topology.ts";
import { freePort, temporaryDirectory } from "../support/redis-process.ts";

/** As Grafana fills a query in. */
function filledIn(expr: string): string {
  return expr
    .replaceAll("$namespace", localNamespace)
    .replaceAll("$set", localSet)
    .replaceAll("$__rate_interval", "20s");
}

/** The metrics of every part, read by a real Prometheus. */
describe("a Prometheus that reads a topology", function () {
  this.timeout(180_000);
  const directory = temporaryDirectory();
  let topology: LocalTopology | undefined;
  let cluster: ClusterControl | undefined;
  let prometheus: Prometheus | undefined;

  before(async function () {
    try {
      findProgram("prometheus", process.env.PATH);
    } catch {
      this.skip();
    }
    const backups = join(directory.path, "backups");
    mkdirSync(backups);
    ({ topology, cluster } = await startObserved(join(directory.path, "topology"), {
      "backup:destination": `file://${backups}`,
      "backup:schedule": "* * * * *",
    }));
    prometheus = await Prometheus.start({
      topology,
      directory: join(directory.path, "prometheus"),
      port: await freePort(),
      scrapeSeconds: 1,
      evaluationSeconds: 1,
    });
  });

  after(async () => {
    await prometheus?.stop();
    cluster?.close();
    await topology?.stop();
    directory.remove();
  });

  it("gets a value for every query of the dashboard", async () => {
    const silent: string[] = [];
    await eventually(
      async () => {
        silent.length = 0;
        for (const { expr } of dashboardQueries) {
          const samples = await prometheus?.query(filledIn(expr));
          if (samples?.length === 0) silent.push(expr);
        }
        assert.deepEqual(silent, []);
      },
      { withinMs: 60_000, everyMs: 2000 },
    );
  });

  it("knows every metric that a rule reads, with the labels that it reads it by", async () => {
    const rules = alertRules({ namespace: localNamespace, name: localSet, instances: 3, sentinels: 3 });
    const selectors = new Set(rules.flatMap(({ expr }) => expr.match(/redis_\w+\{[^}]*\}/g) ?? []));
    assert.ok(selectors.size >= 15);
    // The first backup is taken at the next minute.
    await eventually(
      async () => {
        const unknown: string[] = [];
        for (const selector of selectors)
          if ((await prometheus?.query(selector))?.length === 0) unknown.push(selector);
        // This topology has no TLS, and so no certificate.
        const certificates = unknown.filter((selector) => selector.startsWith("redis_ha_certificate_end_"));
        assert.deepEqual(unknown, certificates);
      },
      { withinMs: 100_000, everyMs: 2000 },
    );
  });
});
