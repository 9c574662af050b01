import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { StatusReport } from "../../cli/operate/status-report.ts";
import { eventually } from "../support/eventually.ts";
import { kubectl } from "../support/kubectl.ts";
import { temporaryDirectory } from "../support/redis-process.ts";
import { readSecrets } from "../support/secret-places.ts";
import { TestStack } from "../support/test-stack.ts";
import { walkArchive } from "../support/walk-archive.ts";

const namespace = "redis-ha-oper";
const program = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
/** `SWITCHOVERS=20` for the figures of docs/operate.md. */
const rounds = Number(process.env.SWITCHOVERS ?? 2);

/** The commands of an operator against pods, by nothing but kubectl. */
describe("redis-ha for whoever operates a stack", function () {
  this.timeout(400_000 + rounds * 30_000);
  this.bail(true);
  let stack: TestStack;

  before(async () => {
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=170s"]);
    stack = await TestStack.create("oper", { "tls:mode": "all", "redis-ha:keepVolumes": "false" });
    await stack.up();
  });

  after(async () => {
    await stack.destroy();
    stack.remove();
  });

  function redisHa(...args: string[]) {
    const context = ["--context", process.env.TEST_CONTEXT ?? ""];
    return execa(process.execPath, [program, ...args, "--stack", "oper", ...context], { reject: false });
  }

  async function healthy(): Promise<StatusReport> {
    return eventually(
      async () => {
        const { stdout, stderr, exitCode } = await redisHa("status", "--json");
        assert.equal(exitCode, 0, `${stderr}${stdout}`);
        return JSON.parse(stdout) as StatusReport;
      },
      { withinMs: 60_000 },
    );
  }

  it("says who leads and how each part is, with TLS, too", async () => {
    const report = await healthy();
    assert.deepEqual(
      report.redis.map(({ role }) => role),
      ["master", "replica", "replica"],
    );
    assert.ok(report.sentinels.every(({ ckquorum, knownSentinels }) => ckquorum && knownSentinels === 3));
    assert.equal(report.proxies.length, 2);
    assert.ok(report.proxies.every(({ following }) => following === true));
  });

  it("finds nothing wrong", async () => {
    await eventually(
      async () => {
        const { stdout, stderr, exitCode } = await redisHa("doctor", "--json");
        assert.equal(exitCode, 0, `${stderr}${stdout}`);
      },
      { withinMs: 60_000 },
    );
  });

  it("shows what all pods wrote, and makes a report that holds nothing of any Secret", async () => {
    const logs = await redisHa("logs", "--lines", "500", "--json");
    assert.equal(logs.exitCode, 0, logs.stderr);
    const parts = logs.stdout.split("\n").map((line) => (JSON.parse(line) as { part: string }).part);
    assert.equal(new Set(parts).size, 8, [...new Set(parts)].join());
    const directory = temporaryDirectory();
    try {
      const file = join(directory.path, "report.tar.gz");
      const { stdout, stderr, exitCode } = await redisHa("report", "--out", file, "--json");
      assert.equal(exitCode, 0, stderr);
      assert.deepEqual((JSON.parse(stdout) as { missing: unknown }).missing, []);
      const [files, secrets] = await Promise.all([walkArchive(file), readSecrets(namespace)]);
      assert.ok(Object.keys(secrets).length > 3);
      for (const [path, text] of files) {
        assert.doesNotMatch(text, /PRIVATE KEY/, path);
        for (const [name, secret] of Object.entries(secrets))
          assert.ok(!text.includes(secret), `${path} holds ${name}`);
      }
      assert.match(files.get("objects/events.json") ?? "", /redis-instance-1/);
      assert.match(files.get("settings.json") ?? "", /"REDIS_MAXMEMORY"/);
    } finally {
      directory.remove();
    }
  });

  it(`hands the role over ${rounds} times, and says for how long writes were paused`, async () => {
    for (let round = 0; round < rounds; round++) {
      const { master } = await healthy();
      const to = master?.name === "redis-instance-2" ? "3" : "2";
      const { stdout, stderr, exitCode } = await redisHa("switchover", "--to", to, "--yes", "--json");
      assert.equal(exitCode, 0, `round ${round}: ${stderr}`);
      const result = JSON.parse(stdout) as { readonly to: string; readonly pausedMs: number };
      process.stdout.write(`      ${round + 1}: ${result.pausedMs} ms paused\n`);
      assert.equal(result.to, `redis-instance-${to}`);
      const after = await healthy();
      assert.equal(after.master?.name, `redis-instance-${to}`);
      assert.equal(after.lastFailover?.kind, "planned");
    }
  });

  it("fences the instance that leads, over a restart of its container, and takes it back", async () => {
    const { master } = await healthy();
    const name = master?.name ?? "";
    const fence = await redisHa("fence", name, "--why", "a test", "--yes");
    assert.equal(fence.exitCode, 0, fence.stderr);
    await eventually(
      async () => {
        const { stdout } = await redisHa("status", "--json");
        const report = JSON.parse(stdout) as StatusReport;
        assert.ok(report.master !== undefined && report.master.name !== name);
        assert.match(report.redis.find((one) => one.name === name)?.state ?? "", /^fenced: a test \(/);
      },
      { withinMs: 30_000 },
    );
    const unfence = await redisHa("unfence", name);
    assert.equal(unfence.exitCode, 0, unfence.stderr);
    await healthy();
  });

  it("hibernates without a pod, and wakes with its data", async () => {
    const { master } = await healthy();
    const inMaster = ["--namespace", namespace, "exec", `deployment/${master?.name}`, "--", "sh", "-c"];
    const ask = (command: string) =>
      kubectl([
        ...inMaster,
        `printf 'AUTH %s %s\\n${command}\\n' "$REDIS_USERNAME" "$(cat $REDIS_PASSWORD_FILE)" | redis-cli --tls --cacert $REDIS_TLS_DIR/ca.crt --cert $REDIS_TLS_DIR/tls.crt --key $REDIS_TLS_DIR/tls.key`,
      ]);
    const before = await ask("DBSIZE");
    const asleep = await redisHa("hibernate", "--yes");
    assert.equal(asleep.exitCode, 0, asleep.stderr);
    assert.equal(await kubectl(["--namespace", namespace, "get", "pods", "--output", "name"]), "");
    const twice = await redisHa("hibernate", "--yes");
    assert.match(twice.stderr, /hibernates already/);
    const awake = await redisHa("wake");
    assert.equal(awake.exitCode, 0, awake.stderr);
    await healthy();
    assert.equal(await ask("DBSIZE"), before);
    assert.match((await redisHa("wake")).stderr, /Nothing of it hibernates/);
  });

  it("names a Sentinel that is gone first, and refuses what isn't safe", async () => {
    await kubectl(["--namespace", namespace, "scale", "deployment/redis-sentinel-3", "--replicas=0"]);
    try {
      await eventually(
        async () => {
          const { stdout, exitCode } = await redisHa("doctor", "--json");
          assert.equal(exitCode, 1);
          const { findings } = JSON.parse(stdout) as {
            findings: readonly { check: string; subject: string }[];
          };
          assert.deepEqual(
            [findings[0]?.check, findings[0]?.subject],
            ["sentinel-silent", "redis-sentinel-3"],
            stdout,
          );
        },
        { withinMs: 60_000 },
      );
      const { exitCode, stderr } = await redisHa("switchover", "--to", "9", "--yes");
      assert.equal(exitCode, 1);
      assert.match(stderr, /^Refused: there is no instance '9'/);
    } finally {
      await kubectl(["--namespace", namespace, "scale", "deployment/redis-sentinel-3", "--replicas=1"]);
    }
  });
});
