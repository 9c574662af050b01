import assert from "node:assert/strict";
import { Kubectl } from "../../../../../cli/operate/kubectl.ts";
import { mergeLogs } from "../../../../../cli/operate/logs/merge-logs.ts";
import { stackTarget } from "../../../../../cli/operate/stack-target.ts";
import { podObject, StubKubectl } from "../../../../support/stub-kubectl.ts";

const redisLine = (second: number, text: string): string =>
  `1:M 30 Nov 2026 15:28:${String(second).padStart(2, "0")}.000 * ${text}\n`;

describe("the logs of pods", () => {
  let stub: StubKubectl;
  const target = stackTarget(new Kubectl({ namespace: "redis-ha-dev", context: undefined }), "");

  before(() => {
    const items = [
      podObject("redis-sentinel-1-x", "sentinel", "redis-sentinel-1", 1),
      podObject("redis-instance-1-x", "redis", "redis-instance-1", 2),
      podObject("redis-sentinel-proxy-x", "proxy", "redis-sentinel-proxy"),
      podObject("redis-sentinel-proxy-y", "proxy", "redis-sentinel-proxy"),
    ];
    stub = new StubKubectl([
      { to: "get pods,deployments", stdout: JSON.stringify({ items }) },
      { to: "logs pod/redis-instance-1-x --tail=4 --since=600s --previous", stdout: redisLine(1, "before") },
      {
        to: "logs pod/redis-instance-1-x",
        stdout: [2, 3, 4].map((second) => redisLine(second, "now")).join(""),
      },
      {
        to: "redis-sentinel-1-x --tail=4 --since=600s --previous",
        stderr: "previous terminated container not found",
      },
      { to: "logs pod/redis-sentinel-1-x", stdout: redisLine(3, "seen") },
      { to: "logs pod/redis-sentinel-proxy-x", stdout: "no line end" },
      { to: "logs pod/redis-sentinel-proxy-y", stderr: "container is waiting to start" },
    ]);
  });

  after(() => stub.remove());

  it("begin with the container before, are bounded, and miss nothing silently", async () => {
    const logs = await target.readLogs({ parts: [], lines: 3, sinceSeconds: 600 });
    assert.deepEqual(
      logs.map(({ part, lines, cut }) => ({ part, lines: lines.length, cut })),
      [
        { part: "redis-instance-1", lines: 3, cut: true },
        { part: "redis-sentinel-1", lines: 1, cut: false },
        { part: "redis-sentinel-proxy-x", lines: 1, cut: false },
        { part: "redis-sentinel-proxy-y", lines: 0, cut: false },
      ],
    );
    assert.deepEqual(
      mergeLogs(logs).map(({ message }) => message),
      ["no line end", "now", "now", "seen", "now"],
    );
    assert.match(logs[1]?.previousProblem ?? "", /previous terminated container not found$/);
    assert.match(logs[3]?.problem ?? "", /^kubectl logs: container is waiting to start$/);
  });

  it("are only asked for where they are wanted", async () => {
    const before = stub.calls.length;
    const logs = await target.readLogs({ parts: ["redis-instance-1"], lines: 5 });
    assert.deepEqual(
      logs.map(({ lines }) => lines.length),
      [5],
    );
    assert.equal(stub.calls.slice(before).filter((call) => call.includes(" logs ")).length, 2);
    await assert.rejects(target.readLogs({ parts: ["redis-instance-7"], lines: 5 }), /no part/);
  });
});
