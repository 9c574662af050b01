import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientLibraries } from "../../workshop/chaos/clients.ts";
import { findNamed } from "../../workshop/chaos/find-named.ts";
import { renderStackReport } from "../../workshop/chaos/stack/render-stack-report.ts";
import { runStackChaos } from "../../workshop/chaos/stack/run-stack-chaos.ts";
import { RunningStack } from "../../workshop/chaos/stack/running-stack.ts";
import { scale } from "../../workshop/chaos/stack/scale-stack.ts";
import { kubectl } from "../support/kubectl.ts";
import { TestStack } from "../support/test-stack.ts";

const namespace = "redis-ha-scale";
const inNamespace = ["--namespace", namespace] as const;
/** Each takes two updates, so without `SCALE_ROUNDS` the test is skipped; `SCALE_SEED` chooses the instances that lead. */
const { SCALE_ROUNDS: rounds = "0", SCALE_SEED: seed = "7" } = process.env;

/** As the default class, and volumes may grow: the claims do so, and the embedded cluster's provisioner leaves the disks as they are. */
const growing = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "redis-ha-scale-growing" },
  provisioner: "rancher.io/local-path",
  volumeBindingMode: "WaitForFirstConsumer",
  allowVolumeExpansion: true,
};

describe("a stack that is scaled, under load", function () {
  this.timeout(900_000 * (1 + Number(rounds)));
  const directory = mkdtempSync(join(tmpdir(), "redis-ha-scale-"));
  const running = new RunningStack({ namespace, context: process.env.TEST_CONTEXT ?? "", instances: 3 });
  let stack: TestStack;

  before(async function () {
    if (rounds === "0") this.skip();
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=170s"]);
    const { provisioner } = JSON.parse(
      await kubectl(["get", "storageclass", "standard", "--output", "json"]),
    ) as typeof growing;
    await kubectl(["apply", "--filename", "-"], JSON.stringify({ ...growing, provisioner }));
    stack = await TestStack.create("scale", {
      "redis:storage": "64Mi",
      "redis:storageClass": growing.metadata.name,
      "redis-ha:namespace": namespace,
      "redis-ha:keepVolumes": "false",
    });
    await stack.up();
  });

  after(async () => {
    await stack?.destroy();
    stack?.remove();
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=60s"]);
    await kubectl(["delete", "storageclass", growing.metadata.name, "--ignore-not-found"]);
    rmSync(directory, { recursive: true });
  });

  it("has 5 instances and Sentinels and 3 again, whoever leads: nothing is lost, no error, nobody is known that is gone", async () => {
    const outputs = await stack.outputs();
    const host = await kubectl([
      ...inNamespace,
      ...["get", "service", "svc-redis-sentinel-proxy", "--output", "jsonpath={.spec.clusterIP}"],
    ]);
    const ioredis = await findNamed("client", clientLibraries, "ioredis").prepare(directory);
    const report = await runStackChaos({
      stack: running,
      pulumi: { configure: (values) => stack.configure(values), up: () => stack.up() },
      access: { endpoint: { host, port: 6379 }, password: String(outputs.password) },
      clients: new Map([["ioredis", ioredis]]),
      faults: [scale],
      ...{ inFlight: 8, rounds: Number(rounds), seed: Number(seed), withinMs: 3_600_000 },
      say: (line) => process.stdout.write(`      ${line}\n`),
      onRound: ({ round, gapMs, seconds }) =>
        process.stdout.write(`      round ${round}: ${Math.round(gapMs)} ms without a write, ${seconds} s\n`),
      signal: new AbortController().signal,
    });
    process.stdout.write(renderStackReport(report));
    assert.deepEqual(
      [...report.violations, ...report.rounds.flatMap(({ violations, slow }) => [...violations, ...slow])],
      [],
    );
    assert.equal(report.rounds.length, Number(rounds));
    assert.ok(report.rounds.every(({ clients: [client] }) => (client?.acknowledged ?? 0) > 100));
  });

  it("refuses what a claim can't do in a preview, and grows the claims in place", async () => {
    const claims = async (path: string): Promise<string> =>
      kubectl([...inNamespace, "get", "persistentvolumeclaim", "--output", `jsonpath={.items[*].${path}}`]);
    const before = await claims("metadata.uid");
    await stack.configure({ "redis:storage": "64Mi", "redis:storageClass": "standard" });
    await assert.rejects(
      stack.run("preview"),
      /'redis:storageClass' is standard but PersistentVolumeClaim 'pvc-redis-instance-1'.* has the StorageClass 'redis-ha-scale-growing', and a claim can't change it/,
    );
    await stack.configure({ "redis:storage": "96Mi", "redis:storageClass": growing.metadata.name });
    await stack.up();
    assert.equal(await claims("metadata.uid"), before, "no claim was replaced");
    assert.match(await claims("spec.resources.requests.storage"), /96Mi/);
    await running.allWell();
  });
});
