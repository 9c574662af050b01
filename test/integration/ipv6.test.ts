import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { Redis } from "ioredis";
import { RunningTopology } from "../support/running-topology.ts";

const hasIPv6 = Object.values(networkInterfaces()).some((found) =>
  found?.some(({ address }) => address === "::1"),
);

/** Sockets on which processes listen whose output goes into a directory, by address family. */
function listenersOf(directory: string): { readonly four: number; readonly six: number } {
  const inodes = new Set<string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readlinkSync(`/proc/${pid}/fd/1`).startsWith(directory)) continue;
      for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
        const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`)) ?? [];
        if (inode !== undefined) inodes.add(inode);
      }
    } catch {
      // It has ended, or a descriptor of it is closed.
    }
  }
  const count = (file: string): number =>
    readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === "0A" && inodes.has(inode ?? "")).length;
  return { four: count("/proc/net/tcp"), six: count("/proc/net/tcp6") };
}

describe("a topology on ::1 alone", function () {
  this.timeout(900_000);
  let running: RunningTopology | undefined;

  before(async function () {
    if (!hasIPv6) {
      console.log("      skipped: this machine has no ::1");
      this.skip();
    }
    running = await RunningTopology.start({}, { host: "::1" });
  });
  after(() => running?.stop());

  it("serves plain and Sentinel clients, and fails over", async () => {
    assert.ok(running);
    const { client, local } = running;
    assert.match(String(local.outputs.proxyEndpoint), /^\[::1\]:\d+$/);
    await client.set("before", "the failover");
    await running.failOver();
    assert.equal(await client.get("before"), "the failover");
    await running.recover();
    const port = Number(local.outputs.proxyPort);
    const sentinel = new Redis({
      sentinels: [{ host: "::1", port: port + 1 }],
      ...{
        name: String(local.outputs.masterName),
        sentinelPassword: local.password,
        password: local.password,
      },
    });
    assert.equal(await sentinel.get("before"), "the failover");
    sentinel.disconnect();
  });

  it("has nobody who listens on an IPv4 address", () => {
    assert.ok(running);
    const { four, six } = listenersOf(running.directory);
    assert.equal(four, 0);
    // Three Redis and their probes, three Sentinels, and the proxy's three.
    assert.ok(six >= 12, `${six} listeners`);
  });
});
