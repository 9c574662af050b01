import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { memoryFor } from "../../runtime/memory-budget.ts";
import { parseInfo } from "../../sentinel-image/start/ask-peer.ts";
import { RunningStack } from "../../workshop/chaos/stack/running-stack.ts";
import { eventually } from "../support/eventually.ts";
import { kubectl } from "../support/kubectl.ts";
import { OverwriteLoad } from "../support/overwrite-load.ts";
import { TestStack } from "../support/test-stack.ts";

const namespace = "redis-ha-memory";
/** The run of docs/operations.md: `MEMORY_LIMIT=512Mi MEMORY_SECONDS=300`. */
const limit = process.env.MEMORY_LIMIT ?? "128Mi";
const seconds = Number(process.env.MEMORY_SECONDS ?? 30);
const share = Number(process.env.MEMORY_SHARE ?? 0.95);
const instances = ["redis-instance-1", "redis-instance-2", "redis-instance-3"];

/** Pods with real limits. The tests build on one another. */
describe("the memory of a stack's Redis pods", function () {
  this.timeout(300_000 + seconds * 1000);
  this.bail(true);
  let stack: TestStack;
  let load: OverwriteLoad;
  const running = new RunningStack({ namespace, context: process.env.TEST_CONTEXT ?? "", instances: 3 });

  before(async () => {
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=170s"]);
    stack = await TestStack.create("memory", { "redis:memory": limit, "redis-ha:keepVolumes": "false" });
    await stack.up();
    const host = await running.kubectl(
      ...["get", "service", "svc-redis-sentinel-proxy", "--output", "jsonpath={.spec.clusterIP}"],
    );
    const { password } = await stack.outputs();
    load = new OverwriteLoad({
      ...{ host, port: 6379, password: String(password) },
      ...{ clients: 2, pipeline: 500, valueBytes: 100 },
    });
  });

  after(async () => {
    await stack.destroy();
    stack.remove();
  });

  async function infoOf(workload: string): Promise<Map<string, string>> {
    return parseInfo(await running.ask(workload, "INFO"));
  }

  async function usedOf(workload: string): Promise<{ readonly used: number; readonly maxmemory: number }> {
    const info = await infoOf(workload);
    return { used: Number(info.get("used_memory")), maxmemory: Number(info.get("maxmemory")) };
  }

  /** Redis pods that were started again, and any pod that the kernel has killed. A busy machine alone can cost a Sentinel its probe. */
  async function deaths(): Promise<string[]> {
    const output = await running.kubectl(
      ...["get", "pods", "--output"],
      'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].lastState.terminated.reason}{"\\n"}{end}',
    );
    return output
      .split("\n")
      .filter((line) => /OOMKilled/.test(line) || /^redis-instance-\S+ [1-9]/.test(line));
  }

  /** Deletes a replica's pod after a time. @returns the ms until its next one was in sync. */
  async function comeBack(workload: string, afterMs: number): Promise<number> {
    await delay(afterMs);
    const begin = performance.now();
    await running.deletePods(`redis-ha/workload=${workload}`);
    await delay(5000);
    await eventually(async () => assert.equal((await infoOf(workload)).get("master_link_status"), "up"), {
      withinMs: 60_000 + seconds * 1000,
      everyMs: 500,
    });
    return performance.now() - begin;
  }

  it("is enough while clients overwrite all keys as fast as they can and a replica comes back; nothing is lost", async () => {
    const { workload: master } = await running.master();
    for (;;) {
      const { used, maxmemory } = await usedOf(master);
      const missing = share * maxmemory - used;
      if (missing < 0.01 * maxmemory) break;
      // Less than a key needs, so that the bound is not passed.
      await load.add(Math.ceil(missing / 300));
    }
    const returning = instances.find((name) => name !== master);
    assert.ok(returning);
    const [backAfterMs] = await Promise.all([comeBack(returning, seconds * 300), load.overwrite(seconds)]);
    let logs: string[] = [];
    const count = (text: RegExp): number[] => logs.map((log) => log.match(text)?.length ?? 0);
    const allHaveRewritten = async (): Promise<boolean> => {
      logs = await Promise.all(instances.map((name) => running.kubectl("logs", `deployment/${name}`)));
      const rewrites = count(/rewriting the append-only file/g);
      return instances.every((name, i) => name === returning || (rewrites[i] ?? 0) > 0);
    };
    // A slow machine writes less than the 64 MiB from which on files are rewritten, and turns take their time.
    for (let more = 0; more < 4 && !(await allHaveRewritten()); more++) await load.overwrite(seconds);
    assert.ok(await allHaveRewritten(), `rewrites ${count(/rewriting the append-only file/g)}`);
    const lost = await load.lost();
    const peaks = await Promise.all(
      instances.map((name) =>
        running.inPod(
          name,
          "cat /sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes 2>/dev/null || true",
        ),
      ),
    );
    console.log(
      `      ${limit}: ${load.keys} keys, ${load.acknowledged} writes acknowledged, longest pipeline ${Math.round(load.longestMs)} ms, ` +
        `${returning} back in sync after ${Math.round(backAfterMs / 1000)} s, errors ${JSON.stringify([...load.errors])}, rewrites ${count(/rewriting the append-only file/g)}, ` +
        `ended ${count(/ended a copy of the data/g)}, peaks with files' pages ${peaks.map((peak) => Math.round(Number(peak.trim()) / 2 ** 20))} MiB`,
    );
    assert.deepEqual(await deaths(), []);
    assert.deepEqual(lost, []);
    assert.equal((await running.master()).workload, master, "there was a failover");
    // At the bound itself the clients' own buffers decide whether one more write is taken.
    assert.deepEqual(
      [...load.errors.keys()].filter((word) => word !== "-OOM"),
      [],
    );
  });

  it("isn't lowered below the data: the first instance doesn't start, and says what helps", async () => {
    const { workload: master } = await running.master();
    const other = instances.find((name) => name !== master);
    assert.ok(other);
    const { used, maxmemory } = await usedOf(master);
    await running.kubectl(
      "set",
      "env",
      `deployment/${other}`,
      `REDIS_MAXMEMORY=${Math.floor(maxmemory / 2)}`,
    );
    await eventually(
      async () => {
        const log = await running.kubectl("logs", `deployment/${other}`, "--tail=20");
        assert.match(log, /not starting: svc-redis-instance-\d:6379 holds \d+ MiB, and redis:memory leaves/);
        assert.match(log, /set redis:memory to at least \d+Mi/);
      },
      { withinMs: 90_000, everyMs: 1000 },
    );
    const ready = await running.kubectl(
      ...["get", "deployment", other, "--output", "jsonpath={.status.readyReplicas}"],
    );
    assert.equal(ready, "");
    // The others go on, and going back repairs it.
    await load.overwrite(1);
    assert.ok(Number.parseInt(memoryFor(used), 10) > 0);
    await running.kubectl("set", "env", `deployment/${other}`, `REDIS_MAXMEMORY=${maxmemory}`);
    await running.allWell();
    assert.deepEqual(await load.lost(), []);
  });
});
