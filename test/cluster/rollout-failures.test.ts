import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { AwayWatch } from "../support/away-watch.ts";
import { eventually } from "../support/eventually.ts";
import { kubectl } from "../support/kubectl.ts";
import { TestStack } from "../support/test-stack.ts";

const name = "roll-failures";
const namespace = `redis-ha-${name}`;

/** Rolls that fail or are broken off, and what comes after them: minutes, so only with `npm run rollouts`. */
const suite = process.env.ROLLOUTS === undefined ? describe.skip : describe;
suite("rollouts that don't come to their end", function () {
  this.timeout(600_000);
  let stack: TestStack;
  let away: AwayWatch | undefined;

  before(async () => {
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=170s"]);
    stack = await TestStack.create(name, { "redis:storage": "64Mi", "redis-ha:keepVolumes": "false" });
    await stack.up();
    away = await AwayWatch.start(namespace, { redis: 3, sentinel: 3, proxy: 2 });
  });

  after(async () => {
    away?.stop();
    await stack?.destroy();
    stack?.remove();
  });

  /** Names of the pods of a kind: each change makes others. */
  async function pods(kind: string): Promise<string[]> {
    const selector = `app.kubernetes.io/component=${kind}`;
    const names = await kubectl([
      "--namespace",
      namespace,
      "get",
      "pod",
      "--output",
      "name",
      "--selector",
      selector,
    ]);
    return names
      .split("\n")
      .filter((line) => line !== "")
      .toSorted();
  }

  /** Runs `pulumi up`, which has to fail, and gives what it said and how long that took. */
  async function failedUp(): Promise<{ text: string; seconds: number }> {
    const begin = performance.now();
    const text = await stack.up().then(
      () => assert.fail("pulumi up went through"),
      (error: Error) => error.message,
    );
    return { text, seconds: (performance.now() - begin) / 1000 };
  }

  it("changes nothing the second time", async () => {
    await stack.up("--expect-no-changes");
  });

  it("a wrong line in redis:extraConfig is found before anything is touched, with redis-server's own words", async () => {
    const before = [...(await pods("redis")), ...(await pods("sentinel"))];
    await stack.configure({ "redis:extraConfig": "hash-max-listpack-entrees 64" });
    const { text, seconds } = await failedUp();
    process.stdout.write(`      refused after ${seconds.toFixed(1)} s\n`);
    assert.match(
      text,
      /redis-server doesn't accept 'redis:extraConfig' or 'redis:modules': its pod ended with exit code 1/,
    );
    // In its own words, which differ between versions.
    assert.match(text, /The end of its log:[\s\S]*>>> 'hash-max-listpack-entrees 64'/);
    assert.match(text, /No pod was touched\. Correct it/);
    assert.ok(seconds < 60, `${seconds} s`);
    assert.deepEqual([...(await pods("redis")), ...(await pods("sentinel"))], before);
  });

  it("a pod that can't start stops the roll, with the reason; the others are untouched", async () => {
    const [before, redis] = [await pods("sentinel"), await pods("redis")];
    await stack.configure({
      "redis:extraConfig": "",
      "images:sentinel": `${process.env.TEST_REGISTRY}/nothing:1`,
    });
    away?.take();
    const { text, seconds } = await failedUp();
    process.stdout.write(`      stopped after ${seconds.toFixed(1)} s\n`);
    assert.match(
      text,
      /Deployment \S+\/redis-sentinel-1 is not rolled out: .*(ErrImagePull|ImagePullBackOff)/,
    );
    assert.match(text, /What comes after it was not touched/);
    assert.ok(seconds < 90, `${seconds} s`);
    const others = (names: string[]): string[] => names.filter((pod) => !pod.includes("redis-sentinel-1"));
    assert.deepEqual([others(await pods("sentinel")), await pods("redis")], [others(before), redis]);
    const { most, worst } = away?.take() ?? {};
    assert.deepEqual([worst, most?.sentinel, most?.redis], [[], 1, 0]);
  });

  it("the corrected values are rolled out, the broken one first, with no second one away", async () => {
    await stack.run("config", "rm", "images:sentinel");
    await stack.configure({ "redis:extraConfig": "hash-max-listpack-entries 64" });
    await stack.up();
    const { most, worst } = away?.take() ?? {};
    assert.deepEqual([worst, most?.sentinel, most?.redis], [[], 1, 1]);
    await stack.up("--expect-no-changes");
  });

  it("a roll that is broken off with Ctrl-C goes on with the next pulumi up, one at a time", async () => {
    await stack.configure({ "redis:memory": "288Mi" });
    away?.take();
    const before = await pods("redis");
    const interrupted = startUp(stack);
    await eventually(
      async () =>
        assert.equal(
          (await pods("redis")).some((pod) => !before.includes(pod)),
          true,
        ),
      {
        withinMs: 120_000,
        everyMs: 100,
      },
    );
    interrupted.kill("SIGINT");
    const [code] = (await once(interrupted, "exit")) as [number | null];
    assert.notEqual(code, 0, "it came to its end before it was broken off");
    // What was broken off is not waited for: the next one begins while it is away.
    await stack.up();
    const { most, worst } = away?.take() ?? {};
    assert.deepEqual([worst, most?.redis], [[], 1]);
    const after = await pods("redis");
    assert.deepEqual(
      after.filter((pod) => before.includes(pod)),
      [],
      "all three are new",
    );
  });
});

function startUp({ pulumi, name: stack }: TestStack): ChildProcess {
  return spawn(
    "pulumi",
    ["up", "--yes", "--skip-preview", "--non-interactive", "--stack", stack, "--cwd", pulumi.project],
    {
      env: { ...process.env, ...pulumi.environment },
      stdio: "ignore",
    },
  );
}
