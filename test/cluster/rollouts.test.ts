import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { Redis } from "ioredis";
import { clientLibraries } from "../../chaos/clients.ts";
import type { WorkerProgram } from "../../chaos/workload-process.ts";
import { eventually } from "../support/eventually.ts";
import { kubectl } from "../support/kubectl.ts";
import { brokenPromises, describeRollout, RolloutLedger } from "../support/rollout-ledger.ts";
import { askInPod, type Endpoint, masterOf, rollouts } from "../support/rollouts.ts";
import { TestStack } from "../support/test-stack.ts";

const namespace = "redis-ha-rollouts";
const service = "svc-redis-sentinel-proxy";
const inNamespace = ["--namespace", namespace] as const;
/** `ROLLOUTS=all` does those that take longer, too. */
const chosen = rollouts.filter(({ quick }) => quick || process.env.ROLLOUTS === "all");

/** One stack under load; whatever happens to it, clients lose nothing that they were told was written. */
describe("rollouts under load", function () {
  this.timeout(300_000);
  const directory = mkdtempSync(join(tmpdir(), "redis-ha-rollouts-"));
  let stack: TestStack;
  let ledger: RolloutLedger | undefined;
  let host: string;

  before(async () => {
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=170s"]);
    stack = await TestStack.create("rollouts", {
      "redis:storage": "64Mi",
      "redis-ha:keepVolumes": "false",
      "tls:mode": "all",
    });
    await stack.up();
    const outputs = await stack.outputs();
    const password = String(outputs.password);
    const ca = String(outputs.caCertificate);
    const [passwordFile, caFile] = [join(directory, "password"), join(directory, "ca.crt")];
    writeFileSync(passwordFile, password, { mode: 0o600 });
    writeFileSync(caFile, ca);
    host = await kubectl([
      ...inNamespace,
      ...["get", "service", service, "--output", "jsonpath={.spec.clusterIP}"],
    ]);
    const clients = new Map<string, WorkerProgram>();
    for (const { name, prepare } of clientLibraries.filter((library) => library.name === "ioredis")) {
      const { command, args } = await prepare(directory);
      clients.set(name, { command, args: [...args, "--ca", caFile, "--server-name", service] });
    }
    ledger = await RolloutLedger.start({
      endpoint: { host, port: 6379 },
      password,
      passwordFile,
      clients,
      tls: { ca, servername: service },
    });
  });

  after(async () => {
    await ledger?.stop();
    await stack?.destroy();
    stack?.remove();
    rmSync(directory, { recursive: true });
  });

  /** Every Deployment is done, and one Redis is the master of the two others. */
  async function allWell(): Promise<void> {
    await kubectl([
      ...inNamespace,
      "wait",
      "deployment",
      "--all",
      "--for=condition=Available",
      "--timeout=120s",
    ]);
    for (const name of (await kubectl([...inNamespace, "get", "deployment", "--output", "name"])).split(
      "\n",
    )) {
      await kubectl([...inNamespace, "rollout", "status", name, "--timeout=120s"]);
    }
    await eventually(async () => assert.deepEqual(await roles(), ["master", "slave", "slave"]), {
      withinMs: 30_000,
    });
  }

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

  async function roles(): Promise<string[]> {
    const answers = await Promise.all(
      [1, 2, 3].map((i) => askInPod(namespace, `redis-instance-${i}`, "role")),
    );
    return answers.map((answer) => answer.split("\n")[0] ?? "").sort();
  }

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
    await allWell();
  });

  for (const { name, allows, gapMs, keepsMaster, run } of chosen) {
    it(`${name}: nothing acknowledged is lost, nothing is executed twice`, async () => {
      assert.ok(ledger);
      const before = await masterOf(namespace);
      const report = await ledger.during(async () => {
        await run(stack, namespace, endpoint);
        await allWell();
      });
      process.stdout.write(`      ${describeRollout(name, report)}\n`);
      assert.deepEqual(brokenPromises(report, allows), []);
      if (keepsMaster) assert.deepEqual(await masterOf(namespace), before);
      assert.ok(report.gapMs < gapMs, `${report.gapMs} ms without a write`);
    });
  }
});
