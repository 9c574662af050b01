import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { LocalTopology } from "../../cli/local/local-topology.ts";
import { localTarget } from "../../cli/operate/local-target.ts";
import { planSwitchover } from "../../cli/operate/plan-switchover.ts";
import { readMetrics } from "../../cli/operate/read-metrics.ts";
import type { StatusReport } from "../../cli/operate/status-report.ts";
import { switchOver } from "../../cli/operate/switch-over.ts";
import { formatAddress } from "../../runtime/address.ts";
import { clientLibraries } from "../../workshop/chaos/clients.ts";
import type { ClusterControl, NamedPart } from "../../workshop/chaos/cluster-control.ts";
import { unnoticed } from "../../workshop/chaos/faults/fault.ts";
import { LedgerRun } from "../../workshop/chaos/ledger-run.ts";
import { monotonicMs } from "../../workshop/chaos/monotonic-clock.ts";
import { percentile } from "../../workshop/chaos/percentile.ts";
import { pick, seededRandom } from "../../workshop/chaos/seeded-random.ts";
import { eventually } from "../support/eventually.ts";
import { startObserved } from "../support/observed-topology.ts";
import { temporaryDirectory } from "../support/redis-process.ts";
import { walkArchive } from "../support/walk-archive.ts";

const program = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** The commands of an operator, against real parts. */
describe("redis-ha for whoever operates it", function () {
  // Each command is a process of its own, and a busy machine starts it in seconds.
  this.timeout(240_000);
  const directory = temporaryDirectory();
  let topology: LocalTopology;
  let cluster: ClusterControl;

  before(async () => {
    ({ topology, cluster } = await startObserved(directory.path));
  });

  afterEach(() => cluster.recover(60_000));

  after(async () => {
    cluster?.close();
    await topology?.stop();
    directory.remove();
  });

  function redisHa(...args: string[]) {
    return execa(process.execPath, [program, ...args, "--dir", directory.path], { reject: false });
  }

  async function status(): Promise<StatusReport & { readonly exitCode: number | undefined }> {
    const { stdout, exitCode, stderr } = await redisHa("status", "--json");
    assert.equal(stderr, "");
    return { ...(JSON.parse(stdout) as StatusReport), exitCode };
  }

  describe("metrics", () => {
    async function scrape(): Promise<Map<string, string>> {
      const parts = topology.parts.filter(({ kind }) => kind === "redis");
      const texts = parts.map(async ({ name, adminUrl }) => {
        const response = await fetch(`${adminUrl}/metrics`, { headers: { connection: "close" } });
        assert.equal(response.status, 200);
        return [name, await response.text()] as const;
      });
      return new Map(await Promise.all(texts));
    }

    it("say of each Redis what it is, and of each Sentinel what it sees; one leads", async () => {
      const master = await cluster.master();
      await eventually(
        async () => {
          const texts = await scrape();
          const values = [...texts].map(([name, text]) => ({ name, text, values: readMetrics(text) }));
          for (const { name, values: own } of values) {
            assert.equal(own.redis_up, 1, name);
            assert.equal(own.redis_ha_leads, name === master.name ? 1 : 0, name);
            assert.equal(own.redis_ha_promotable, name === master.name ? 0 : 1, name);
            assert.equal(own.redis_ha_master_agreed, 1);
            assert.ok((own.redis_memory_used_bytes ?? 0) > 500_000);
            assert.ok((own.redis_ha_volume_free_bytes ?? 0) > 0);
            assert.ok((own.redis_ha_heartbeat_age_seconds ?? 99) < 30);
          }
          for (const { text } of values) {
            assert.equal(text.match(/^redis_ha_sentinel_agrees\{sentinel="[^"]+"\} 1$/gm)?.length, 3);
            for (const user of ["default", "supervisor", "replica", "sentinel"])
              assert.ok(!text.includes(topology.passwordOf(user)), `the password of ${user}`);
          }
        },
        { withinMs: 20_000 },
      );
    });

    it("say that a Sentinel is away, and that redis-server doesn't answer", async () => {
      const [sentinel] = cluster.sentinels;
      const master = await cluster.master();
      const part = cluster.instances.find(({ name }) => name !== master.name);
      assert.ok(sentinel && part);
      await cluster.kill(sentinel);
      const pid = await cluster.serverPid(part);
      process.kill(pid, "SIGSTOP");
      try {
        await eventually(
          async () => {
            const texts = await scrape();
            assert.ok(
              texts
                .get(master.name)
                ?.includes(`redis_ha_sentinel_up{sentinel="${formatAddress(sentinel.address)}"} 0`),
            );
            assert.equal(readMetrics(texts.get(part.name) ?? "").redis_up, 0);
          },
          { withinMs: 20_000 },
        );
      } finally {
        process.kill(pid, "SIGCONT");
      }
    });
  });

  describe("doctor", () => {
    interface Diagnosis {
      readonly well: boolean;
      readonly findings: readonly {
        readonly check: string;
        readonly subject: string;
        readonly severity: string;
      }[];
    }

    async function diagnose(): Promise<Diagnosis> {
      const { stdout, exitCode, stderr } = await redisHa("doctor", "--json");
      assert.equal(stderr, "");
      const diagnosis = JSON.parse(stdout) as Diagnosis;
      assert.equal(exitCode, diagnosis.well ? 0 : 1);
      return diagnosis;
    }

    /** The cause of what was done, named before all that comes of it. */
    async function names(check: string, subject: string): Promise<void> {
      await eventually(
        async () => {
          const { findings } = await diagnose();
          // On a machine that is busy a Sentinel is in TILT for 30 s.
          assert.deepEqual(
            [findings[0]?.check, findings[0]?.subject],
            [check, subject],
            JSON.stringify(findings, null, 1),
          );
        },
        { withinMs: 45_000 },
      );
    }

    async function replica(): Promise<NamedPart> {
      const master = await cluster.master();
      const other = cluster.instances.find(({ name }) => name !== master.name);
      assert.ok(other);
      return other;
    }

    it("finds nothing when all is well", async () => {
      // Sentinels that stood still for want of CPU are in TILT for 30 s.
      await eventually(
        async () =>
          assert.deepEqual(
            (await diagnose()).findings.filter(({ severity }) => severity !== "note"),
            [],
          ),
        {
          withinMs: 60_000,
        },
      );
    });

    it("names a replica that has ended", async () => {
      const part = await replica();
      await cluster.kill(part);
      await names("redis-silent", part.name);
    });

    it("names a Sentinel that is frozen", async () => {
      const [, , sentinel] = cluster.sentinels;
      assert.ok(sentinel);
      topology.signal(sentinel.name, "SIGSTOP");
      try {
        await names("sentinel-silent", sentinel.name);
      } finally {
        topology.signal(sentinel.name, "SIGCONT");
      }
    });

    it("names a memory that is full", async () => {
      const master = await cluster.master();
      const [, before] = (await cluster.call(master, "CONFIG", "GET", "maxmemory")) as string[];
      await cluster.call(master, "CONFIG", "SET", "maxmemory", 1_000_000);
      try {
        await names("memory-full", master.name);
      } finally {
        await cluster.call(master, "CONFIG", "SET", "maxmemory", before ?? 0);
      }
    });

    it("names a setting that somebody has changed", async () => {
      const master = await cluster.master();
      await cluster.call(master, "CONFIG", "SET", "min-replicas-to-write", 0);
      try {
        await names("drift", master.name);
      } finally {
        await cluster.call(master, "CONFIG", "SET", "min-replicas-to-write", 1);
      }
    });

    it("names a Sentinel that watches by other settings", async () => {
      const [sentinel] = cluster.sentinels;
      assert.ok(sentinel);
      const set = (ms: number) =>
        cluster.call(
          sentinel,
          "SENTINEL",
          "SET",
          topology.settings.sentinel.masterName,
          "failover-timeout",
          ms,
        );
      await set(99_000);
      try {
        await names("sentinel-settings", sentinel.name);
      } finally {
        await set(topology.settings.sentinel.failoverTimeoutMs);
      }
    });

    it("names a replica that somebody keeps from being promoted", async () => {
      const part = await replica();
      // Its supervisor takes that back in its next round: frozen, it can't.
      const pid = (await topology.status()).parts.find(({ name }) => name === part.name)?.pid;
      assert.ok(pid);
      process.kill(pid, "SIGSTOP");
      try {
        await cluster.call(part, "CONFIG", "SET", "replica-priority", 0);
        await names("unpromotable", part.name);
      } finally {
        process.kill(pid, "SIGCONT");
      }
    });

    it("says on request what it looks for", async () => {
      const { stdout } = await redisHa("doctor", "--list");
      assert.ok(stdout.split("\n").length > 30);
      assert.match(stdout, /^sentinel-ghost /m);
    });
  });

  it("shows what all parts wrote, merged in time", async () => {
    const { stdout, stderr, exitCode } = await redisHa("logs", "--json");
    assert.equal(exitCode, 0, stderr);
    const lines = stdout.split("\n").map((line) => JSON.parse(line) as { time: string | null; part: string });
    assert.deepEqual(
      [...new Set(lines.map(({ part }) => part))].toSorted(),
      topology.parts.map(({ name }) => name).toSorted(),
    );
    const times = lines.flatMap(({ time }) => (time === null ? [] : [time]));
    assert.deepEqual(times, times.toSorted());
    assert.ok(times.length > 50 && times.length > lines.length * 0.9, `${times.length} of ${lines.length}`);
    const { stdout: text } = await redisHa("logs", "--part", "proxy", "--lines", "1");
    assert.match(text, /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}redis-sentinel-proxy\S* {2}(info|warn) {3}\S.*$/);
  });

  it("makes a report of what every part says, without a password or key", async () => {
    const file = join(directory.path, "report.tar.gz");
    const { stdout, stderr, exitCode } = await redisHa("report", "--out", file, "--json");
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual((JSON.parse(stdout) as { missing: unknown }).missing, []);
    const files = await walkArchive(file);
    const status = JSON.parse(files.get("status.json") ?? "") as StatusReport;
    assert.equal(status.redis.length, 3);
    assert.match(files.get("sentinels.json") ?? "", /"num-other-sentinels": "2"/);
    for (const { name } of topology.parts) assert.ok(files.get(`logs/${name}.log`), name);
    for (const user of ["default", "supervisor", "replica", "sentinel", "proxy", "probe"]) {
      const password = topology.passwordOf(user);
      for (const [path, text] of files)
        assert.ok(!text.includes(password), `${path}: the password of ${user}`);
    }
  });

  describe("switchover", () => {
    /** `SWITCHOVERS=200` for the figures of docs/operate.md. */
    const rounds = Number(process.env.SWITCHOVERS ?? 5);

    it(`hands the role to the instance of choice under load ${rounds} times: no error, nothing lost, no disconnect`, async function () {
      this.timeout(60_000 + rounds * 20_000);
      const ioredis = clientLibraries.find(({ name }) => name === "ioredis");
      assert.ok(ioredis);
      const random = seededRandom(5);
      const run = await LedgerRun.start({
        ...{ topology, random },
        clients: new Map([["ioredis", await ioredis.prepare(directory.path)]]),
      });
      const gaps: number[] = [];
      const pauses: number[] = [];
      const target = localTarget(topology);
      try {
        for (let round = 1; round <= rounds; round++) {
          const { clients, stalls, violations } = await run.inject({
            ...{
              name: "switchover",
              summary: "a planned hand-over",
              failover: true,
              gapMs: 1000,
              allows: unnoticed,
            },
            inject: async (context) => {
              const heir = pick(
                context.cluster.instances.filter(({ name }) => name !== context.master.name),
                random,
              );
              // One that has just come back can't be promoted for a second or two.
              await eventually(
                async () => {
                  const plan = planSwitchover(await target.observe({ logs: false }), heir.name);
                  assert.equal(plan.kind, "go", plan.kind === "refuse" ? plan.reason : "");
                },
                { withinMs: 20_000 },
              );
              const atMs = monotonicMs();
              const result = await switchOver(target, heir.name);
              assert.deepEqual([result.from, result.to], [context.master.name, heir.name]);
              pauses.push(result.pausedMs ?? Number.NaN);
              return atMs;
            },
          });
          assert.deepEqual(violations, [], `round ${round}`);
          assert.ok((clients[0]?.acknowledged ?? 0) > 20);
          gaps.push(stalls.withoutWritesMs ?? Number.NaN);
          // For whoever lets it run for long.
          if (rounds > 5)
            process.stdout.write(`${round}: ${gaps.at(-1)} ms without writes, ${pauses.at(-1)} ms paused\n`);
        }
      } finally {
        await run.stop();
      }
      const at = (values: readonly number[]): string =>
        [0.5, 0.99, 1].map((share) => Math.round(percentile(values, share) ?? Number.NaN)).join(" / ");
      process.stdout.write(
        `      ${gaps.length} switchovers: ms without writes ${at(gaps)}, paused ${at(pauses)} (p50 / p99 / max)\n`,
      );
    });

    it("is a command, which refuses what isn't safe and changes nothing", async () => {
      const master = await cluster.master();
      const already = await redisHa("switchover", "--to", master.name, "--yes");
      assert.equal(already.exitCode, 1);
      assert.match(
        already.stderr,
        /^Refused: redis-instance-\d is the master already\. Nothing was changed\.$/,
      );
      const [heir] = cluster.instances.filter(({ name }) => name !== master.name);
      assert.ok(heir);
      const unasked = await redisHa("switchover", "--to", heir.name);
      assert.equal(unasked.exitCode, 1);
      assert.match(unasked.stderr, /Say --yes: there is nobody to ask/);
      await cluster.kill(heir);
      const down = await redisHa("switchover", "--to", heir.name, "--yes");
      assert.equal(down.exitCode, 1);
      assert.match(down.stderr, /^Refused: redis-instance-\d doesn't answer/);
      assert.deepEqual(await cluster.master(), master);
    });
  });

  describe("status", () => {
    it("says who leads, what each Sentinel knows, and that all is well", async () => {
      const master = await cluster.master();
      // A replica that has just joined may be promoted from its supervisor's next round on.
      const report = await eventually(
        async () => {
          const seen = await status();
          assert.equal(seen.exitCode, 0, JSON.stringify(seen, null, 1));
          return seen;
        },
        { withinMs: 30_000 },
      );
      assert.equal(report.master?.address, formatAddress(master.address));
      assert.deepEqual(report.redis.map(({ role }) => role).toSorted(), ["master", "replica", "replica"]);
      for (const sentinel of report.sentinels) {
        assert.equal(sentinel.quorum, 2);
        assert.equal(sentinel.knownSentinels, 3);
        assert.equal(sentinel.ckquorum, true);
      }
      assert.match(report.redis[0]?.version ?? "", /^\d+\.\d+\.\d+$/);
      assert.equal(report.proxies[0]?.following, true);
      const { stdout } = await redisHa("status");
      assert.match(stdout, new RegExp(`^Master: ${master.name} `));
    });

    it("exits with 1 while a part is frozen, says which, and doesn't wait long for it", async () => {
      const [, sentinel] = cluster.sentinels;
      assert.ok(sentinel);
      topology.signal(sentinel.name, "SIGSTOP");
      try {
        const report = await status();
        assert.equal(report.exitCode, 1);
        const part = report.sentinels.find(({ name }) => name === sentinel.name);
        assert.match(part?.state ?? "", /no answer within 1000 ms/);
        assert.notEqual(report.master, undefined, "two Sentinels are a majority");
      } finally {
        topology.signal(sentinel.name, "SIGCONT");
      }
    });

    it("tells the phases of the failover that has just been", async () => {
      const old = await cluster.master();
      await cluster.kill(old);
      await eventually(async () => assert.notEqual((await cluster.master()).name, old.name), {
        withinMs: 20_000,
      });
      const { lastFailover, exitCode } = await status();
      assert.equal(exitCode, 1, "the old master is away");
      assert.equal(lastFailover?.kind, "failure");
      assert.equal(lastFailover.from, formatAddress(old.address));
      const phases = lastFailover.phases.map(({ name }) => name);
      for (const phase of [
        "a Sentinel sees the master down",
        "a leader is elected",
        "most Sentinels name the new master",
      ])
        assert.ok(phases.includes(phase), `${phase}: ${phases.join()}`);
    });

    it("refuses a directory without a topology in a sentence, and an unknown stack without a trace", async () => {
      const { exitCode, stderr } = await execa(process.execPath, [program, "status", "--dir", "/nowhere"], {
        reject: false,
      });
      assert.equal(exitCode, 1);
      assert.match(stderr, /No local redis-ha was ever started in \/nowhere: redis-ha local up\./);
      assert.doesNotMatch(stderr, /\n\s+at /);
    });
  });
});
