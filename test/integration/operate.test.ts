import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { LocalTopology } from "../../cli/local/local-topology.ts";
import type { StatusReport } from "../../cli/operate/status-report.ts";
import { formatAddress } from "../../runtime/address.ts";
import type { ClusterControl } from "../../workshop/chaos/cluster-control.ts";
import { eventually } from "../support/eventually.ts";
import { startObserved } from "../support/observed-topology.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

const program = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** The commands of an operator, against real parts. */
describe("redis-ha for whoever operates it", function () {
  this.timeout(90_000);
  const directory = temporaryDirectory();
  let topology: LocalTopology;
  let cluster: ClusterControl;

  before(async () => {
    ({ topology, cluster } = await startObserved(directory.path));
  });

  afterEach(() => cluster.recover(30_000));

  after(async () => {
    cluster.close();
    await topology.stop();
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
