import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { kubectl } from "../support/kubectl.ts";
import { NewConnections } from "../support/new-connections.ts";
import { TestStack } from "../support/test-stack.ts";

const namespace = "redis-ha-proxy-rollout";
const service = "svc-redis-sentinel-proxy";
const deployment = "redis-sentinel-proxy";
const proxies = 2;
/** `PROXY_ROLLS=5`: more than 10 000 clients in each test. Unset: not at all, since it takes minutes. */
const rolls = Number(process.env.PROXY_ROLLS ?? 0);
const perRoll = 2050;
const inNamespace = (...args: string[]): Promise<string> => kubectl(["--namespace", namespace, ...args]);

/** New clients come all the time, through the Service and the cluster's own kube-proxy, while the proxies are replaced. */
describe("a rollout of the proxies", function () {
  this.timeout(rolls * 120_000 + 180_000);
  let stack: TestStack;
  let host: string;

  before(async function () {
    if (rolls === 0) this.skip();
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=170s"]);
    stack = await TestStack.create("proxy-rollout", {
      "redis:storage": "64Mi",
      "redis-ha:keepVolumes": "false",
      "proxy:replicas": String(proxies),
    });
    await stack.up();
    host = await inNamespace("get", "service", service, "--output", "jsonpath={.spec.clusterIP}");
  });
  after(async () => {
    await stack?.destroy();
    stack?.remove();
  });

  async function podNames(): Promise<string[]> {
    const names = await inNamespace(
      "get",
      "pod",
      "--selector",
      `redis-ha/workload=${deployment}`,
      "--output",
      "name",
    );
    return names.split("\n").filter(Boolean);
  }

  /** All proxies are new ones, and the old ones have ended. */
  async function replaced(before: readonly string[]): Promise<void> {
    await inNamespace("rollout", "status", `deployment/${deployment}`, "--timeout=90s");
    await eventually(
      async () => {
        const names = await podNames();
        assert.equal(names.length, proxies);
        for (const name of names) assert.ok(!before.includes(name), name);
      },
      { withinMs: 60_000, everyMs: 500 },
    );
  }

  /** Does something again and again while clients come, and tells what became of them. */
  async function underLoad(what: string, times: number, change: () => Promise<unknown>): Promise<void> {
    const { password, caCertificate } = await stack.outputs();
    const clients = new NewConnections({
      host,
      ports: [6379, 6379, 6379, 26379],
      password: String(password),
      ...(caCertificate ? { tls: { ca: String(caCertificate), servername: service } } : {}),
      atOnce: 8,
    });
    const begin = performance.now();
    try {
      for (let time = 1; time <= times; time++) {
        const before = await podNames();
        await change();
        await replaced(before);
        await eventually(() => assert.ok(clients.served >= time * perRoll), {
          withinMs: 60_000,
          everyMs: 100,
        });
      }
      // What a closed port or a dead address does to a client shows some time later.
      await delay(1000);
    } finally {
      const seconds = ((performance.now() - begin) / 1000).toFixed(0);
      const { served, failed, slowestMs } = await clients.stop();
      const failures = Object.entries(failed).map(([how, count]) => `${count} × ${how}`);
      const cells = [
        what,
        times,
        `${seconds} s`,
        served,
        failures.join(", ") || "none",
        `${slowestMs.toFixed(0)} ms`,
      ];
      process.stdout.write(`      | ${cells.join(" | ")} |\n`);
      assert.deepEqual(failures, []);
    }
  }

  const restart = (): Promise<string> => inNamespace("rollout", "restart", `deployment/${deployment}`);

  it("refuses no new client", () => underLoad("rolled", rolls, restart));

  it("refuses no new client when a node is drained", () =>
    underLoad("evicted one after the other", 1, async () => {
      for (const pod of await podNames()) {
        const name = pod.replace("pod/", "");
        const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } };
        // The disruption budget lets it take the next one when the first is replaced.
        await eventually(
          () =>
            kubectl(
              ["create", "--raw", `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, "--filename", "-"],
              JSON.stringify(eviction),
            ),
          { withinMs: 60_000, everyMs: 500 },
        );
      }
    }));

  it("refuses no new client with two workers each, and TLS", async () => {
    await stack.configure({ "proxy:workers": "2", "tls:mode": "clients" });
    const before = await podNames();
    await stack.up();
    await replaced(before);
    await underLoad("rolled, two workers each, TLS", rolls, restart);
  });
});
