import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { Redis } from "ioredis";
import { clientLibraries } from "../../workshop/chaos/clients.ts";
import { findNamed } from "../../workshop/chaos/find-named.ts";
import { findAccess } from "../../workshop/chaos/stack/find-access.ts";
import { brokenPromises } from "../../workshop/chaos/stack/judge-round.ts";
import { PodLogs } from "../../workshop/chaos/stack/pod-logs.ts";
import { renderStackReport } from "../../workshop/chaos/stack/render-stack-report.ts";
import { runStackChaos } from "../../workshop/chaos/stack/run-stack-chaos.ts";
import { RunningStack } from "../../workshop/chaos/stack/running-stack.ts";
import { stackFaults } from "../../workshop/chaos/stack/stack-faults.ts";
import { StackLedger } from "../../workshop/chaos/stack/stack-ledger.ts";
import type { WorkerProgram } from "../../workshop/chaos/workload-process.ts";
import { AwayWatch } from "../support/away-watch.ts";
import { kubectl } from "../support/kubectl.ts";
import { RolloutTable } from "../support/rollout-table.ts";
import { type Endpoint, rollouts } from "../support/rollouts.ts";
import { TestStack } from "../support/test-stack.ts";

const namespace = "redis-ha-rollouts";
const service = "svc-redis-sentinel-proxy";
const inNamespace = ["--namespace", namespace] as const;
const { ROLLOUTS: which = "quick", ROLLOUT_ROUNDS: rounds = "1" } = process.env;
/** `ROLLOUTS=all` does those that take longer, too; any other word those with it in their names. `ROLLOUT_ROUNDS`: of each. */
const chosen = rollouts.filter(({ quick, name }) =>
  which === "quick" ? quick : which === "all" || name.includes(which),
);

/** One stack under load; whatever happens to it, clients lose nothing that they were told was written. */
describe("rollouts under load", function () {
  this.timeout(600_000);
  const directory = mkdtempSync(join(tmpdir(), "redis-ha-rollouts-"));
  const [passwordFile, caFile] = [join(directory, "password"), join(directory, "ca.crt")];
  const clients = new Map<string, WorkerProgram>();
  let stack: TestStack;
  let ledger: StackLedger | undefined;
  let host: string;
  let away: AwayWatch | undefined;
  let podLogs: PodLogs | undefined;
  let broken = false;
  const table = new RolloutTable();
  const running = new RunningStack({ namespace, context: process.env.TEST_CONTEXT ?? "", instances: 3 });

  before(async () => {
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=170s"]);
    stack = await TestStack.create("rollouts", {
      "redis:storage": "64Mi",
      "redis-ha:keepVolumes": "false",
      "tls:mode": "all",
    });
    await stack.up();
    host = await kubectl([
      ...inNamespace,
      ...["get", "service", service, "--output", "jsonpath={.spec.clusterIP}"],
    ]);
    for (const { name, prepare } of clientLibraries.filter((library) => library.name === "ioredis")) {
      const { command, args } = await prepare(directory);
      clients.set(name, { command, args: [...args, "--ca", caFile, "--server-name", service] });
    }
    away = await AwayWatch.start(namespace, { redis: 3, sentinel: 3, proxy: 2 });
  });

  /** Of two passwords and two authorities the older one ends at the next change: clients of each round have what is valid then. */
  beforeEach(async () => {
    podLogs ??= new PodLogs(running);
    const outputs = await stack.outputs();
    const [password, ca] = [String(outputs.password), String(outputs.caCertificate)];
    writeFileSync(passwordFile, password, { mode: 0o600 });
    writeFileSync(caFile, ca);
    ledger = await StackLedger.start({
      endpoint: { host, port: 6379 },
      password,
      passwordFile,
      clients,
      tls: { ca, servername: service },
    });
  });

  afterEach(async function () {
    broken ||= this.currentTest?.state === "failed";
    await ledger?.stop();
  });

  after(async () => {
    process.stdout.write(table.render());
    away?.stop();
    const logs = await podLogs?.stop(broken);
    if (logs !== undefined) process.stdout.write(`What the pods wrote: ${logs}\n`);
    await stack?.destroy();
    stack?.remove();
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=60s"]);
    rmSync(directory, { recursive: true });
  });

  const endpoint: Endpoint = {
    takesNewPassword: async () => {
      const { password, caCertificate } = await stack.outputs();
      const client = new Redis({
        host,
        password: String(password),
        tls: { ca: String(caCertificate), servername: service },
        lazyConnect: true,
        enableReadyCheck: false,
        retryStrategy: null,
      });
      client.on("error", () => undefined);
      try {
        // Each new connection may come to another proxy.
        await client.connect();
        await client.ping();
        return true;
      } catch {
        return false;
      } finally {
        client.disconnect();
      }
    },
    issuer: async () => {
      const { caCertificate } = await stack.outputs();
      const socket = connect({ host, port: 6379, ca: String(caCertificate), servername: service });
      await once(socket, "secureConnect");
      const { issuer } = socket.getPeerCertificate();
      socket.destroy();
      return String(issuer.CN);
    },
  };

  it("a drain may take one Redis, and not a second one before it is back", async () => {
    const pods = (await kubectl([...inNamespace, "get", "pod", "--output", "name"]))
      .split("\n")
      .map((name) => name.replace("pod/", ""))
      .filter((name) => name.startsWith("redis-instance-"));
    const evict = (name: string): Promise<string> =>
      kubectl(
        ["create", "--raw", `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, "--filename", "-"],
        JSON.stringify({ apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } }),
      );
    const [first = "", second = ""] = pods;
    await evict(first);
    await assert.rejects(evict(second), /disruption budget/);
    await running.allWell();
  });

  for (const { name, allows, gapMs, oneAtATime, keepsMaster, run } of chosen) {
    for (let round = 0; round < Number(rounds); round++) {
      it(`${name}: one at a time, nothing acknowledged is lost, nothing is executed twice`, async () => {
        assert.ok(ledger && away);
        const before = await running.master();
        away.take();
        const report = await ledger.during(async () => {
          await run({ stack, running, endpoint }, round);
          await running.allWell();
        });
        const { most, worst } = away.take();
        table.add(name, report, most);
        if (oneAtATime) {
          assert.deepEqual(worst, []);
          assert.equal(most.proxy, 0, "a proxy was away before its successor was ready");
        }
        assert.deepEqual(brokenPromises(report, allows), []);
        if (keepsMaster) assert.deepEqual(await running.master(), before);
        assert.ok(report.gapMs <= gapMs, `${report.gapMs} ms without a write`);
      });
    }
  }

  it("redis-ha chaos --stack injects faults, judges them and leaves the stack as it was", async () => {
    const chosenFaults = stackFaults.filter(({ name }) => ["pod-deleted", "server-killed"].includes(name));
    const told: string[] = [];
    const report = await runStackChaos({
      stack: running,
      access: await findAccess(running, await stack.outputs()),
      clients: new Map([
        ["ioredis", await findNamed("client", clientLibraries, "ioredis").prepare(directory)],
      ]),
      inFlight: 8,
      faults: chosenFaults,
      rounds: 2,
      seed: 1,
      withinMs: 200_000,
      onRound: ({ fault }) => told.push(fault),
      signal: new AbortController().signal,
    });
    assert.deepEqual(told.toSorted(), ["pod-deleted", "server-killed"]);
    assert.deepEqual([report.violations, report.rounds.flatMap(({ violations }) => violations)], [[], []]);
    assert.ok(report.rounds.every(({ clients: [client] }) => (client?.acknowledged ?? 0) > 100));
    assert.match(renderStackReport(report), /^\| server-killed \| 1 \| \d+ /m);
  });
});
