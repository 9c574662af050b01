// Runs every check and test of the project, and ends with one line: N passed, N failed[, N skipped].
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { clusterStatus, startCluster, stopCluster } from "../workshop/cluster/embedded-cluster.ts";
import { ensurePulumi } from "../workshop/cluster/programs.ts";
import { readMachineFacts } from "../workshop/stack/target.ts";
import { countMochaOutput } from "./support/count-mocha-output.ts";

const project = fileURLToPath(new URL("..", import.meta.url));
const total = { passed: 0, failed: 0, skipped: 0 };
/** What failed, shown once more at the end: of a long output often only the end is kept. */
const failed: string[] = [];
const begin = performance.now();

function say(line: string): void {
  process.stdout.write(`\n── ${((performance.now() - begin) / 1000).toFixed(0)} s  ${line}\n`);
}

/** A check that is good or not. */
async function check(name: string, command: string, args: readonly string[]): Promise<void> {
  say(name);
  const result = await execa(command, args, {
    cwd: project,
    preferLocal: true,
    stdio: "inherit",
    reject: false,
  });
  if (result.exitCode === 0) total.passed++;
  else {
    total.failed++;
    failed.push(`${name} failed`);
  }
}

/** Known vulnerabilities of the dependencies, where the registry tells them. */
async function audit(): Promise<void> {
  say("known vulnerabilities");
  const { exitCode } = await execa("node", ["workshop/scripts/audit.ts"], {
    cwd: project,
    preferLocal: true,
    stdio: "inherit",
    reject: false,
  });
  if (exitCode === 0) total.passed++;
  else if (exitCode === 75) total.skipped++;
  else {
    total.failed++;
    failed.push("a dependency has a known vulnerability: npm run audit");
  }
}

/** A folder of tests, in a process of its own. */
async function mocha(
  name: string,
  files: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  say(name);
  // A handle that a test has left open must not hold up the whole run.
  const result = await execa("mocha", ["--exit", ...files], {
    cwd: project,
    preferLocal: true,
    env: { ...env, FORCE_COLOR: "0" },
    stdin: "ignore",
    stdout: ["pipe", "inherit"],
    stderr: "inherit",
    reject: false,
  });
  const counts = countMochaOutput(result.stdout, result.exitCode ?? 1);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  const failures = result.stdout.search(/\n\s+\d+ failing\n/);
  if (failures >= 0) failed.push(`${name}:${result.stdout.slice(failures)}`);
}

/** The tests that need a Kubernetes: an embedded one where that is possible. */
async function clusterTests(files: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const facts = await readMachineFacts();
  if (!facts.root || !facts.debian) {
    say("cluster tests: SKIPPED, the embedded cluster needs root on Debian or Ubuntu");
    total.skipped++;
    return;
  }
  say("cluster tests: starting the embedded cluster");
  const onProgress = (line: string): void => say(line);
  const stateDir = join(project, ".redis-ha", "cluster");
  const { healthy: ranBefore } = await clusterStatus(stateDir);
  try {
    const cluster = await startCluster({ stateDir, onProgress });
    const { binDir } = await ensurePulumi({ onProgress });
    await mocha("cluster tests", files, {
      ...env,
      KUBECONFIG: cluster.kubeconfig,
      DOCKER_HOST: cluster.dockerHost,
      TEST_CONTEXT: cluster.context,
      TEST_REGISTRY: cluster.registry,
      TEST_PULUMI_BIN: binDir ?? "",
    });
  } catch (error) {
    process.stdout.write(`${error instanceof Error ? error.message : error}\n`);
    total.failed++;
  } finally {
    // What it did not start it leaves alone; what it did start is warm for the next run.
    if (!ranBefore) await stopCluster({ stateDir, keepData: true, onProgress });
  }
}

if (process.argv[2] === "rollouts") {
  // All of them, those too that take too long for every run.
  const files = ["test/cluster/rollouts.test.ts", "test/cluster/rollout-failures.test.ts"];
  await clusterTests(files, { ROLLOUTS: process.env.ROLLOUTS ?? "all" });
} else {
  await check("types", "tsc", ["--noEmit"]);
  await check("format and lint", "biome", ["check", "."]);
  await check("bill of materials", "node", ["workshop/scripts/sbom.ts"]);
  await audit();
  await mocha("unit and component tests", ["test/unit/**/*.test.ts", "test/component/**/*.test.ts"]);
  await mocha("integration tests", ["test/integration/**/*.test.ts"]);
  await mocha("client tests", ["test/clients/**/*.test.ts"]);
  await clusterTests(["test/cluster/**/*.test.ts"]);
}

say("done");
for (const text of failed) process.stdout.write(`${text}\n`);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exitCode = total.failed > 0 ? 1 : 0;
