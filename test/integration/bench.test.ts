import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { findProgram } from "../../runtime/find-program.ts";
import type { BenchResult } from "../../workshop/bench/report.ts";
import type { VariantsResult } from "../../workshop/bench/run-variants-bench.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

const program = fileURLToPath(new URL("../../cli/redis-ha.js", import.meta.url));

describe("redis-ha bench", function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  after(() => directory.remove());

  it("measures every scenario on all three paths and judges it", async function () {
    try {
      findProgram("haproxy", `${process.env.PATH}:/usr/sbin`);
    } catch {
      // haproxy is not installed, and this machine doesn't let the project install it.
      this.skip();
    }
    const file = join(directory.path, "result.json");
    const picture = join(directory.path, "result.svg");
    const small = ["--rounds", "1", "--scale", "0.01", "--idle", "200", "--clients", "200", "--paced", "1"];
    const outputs = ["--json", file, "--picture", picture];
    const { stdout } = await execa(process.execPath, [program, "bench", ...small, ...outputs]);
    assert.match(stdout, /c=50 -P 16 GET +\d+ +\d+ +\d+/);
    const result = JSON.parse(readFileSync(file, "utf8")) as BenchResult;
    assert.equal(result.series.length, 10);
    for (const { rps } of result.series) {
      for (const values of Object.values(rps)) assert.ok(values.length === 1 && Number(values[0]) > 0);
    }
    assert.equal(result.idle?.clients, 200);
    for (const [latency] of Object.values(result.paced?.latency ?? {})) {
      assert.ok(latency !== undefined && latency.p50Ms > 0 && latency.p99Ms >= latency.p50Ms);
    }
    assert.match(stdout, /milliseconds at \d+ GETs a second/);
    assert.equal(readFileSync(picture, "utf8").match(/<line /g)?.length, 10 * 3);
    // One shared connection, whatever the number of clients.
    assert.equal(result.upstreams?.many, result.upstreams?.few);
  });

  it("measures writes that wait for a replica beside those that don't", async () => {
    const port = String(await freeBasePort());
    const small = ["--rounds", "1", "--scale", "0.005", "--scenario", "c=50", "--port", port];
    const { stdout } = await execa(process.execPath, [program, "bench", "--durability", "1", ...small]);
    assert.match(stdout, /^\| 1 replica \|/m);
    assert.match(stdout, /^\| c=50 SET \| \d+ .* \| \d+ .* \| \d\.\d\d /m);
  });

  it("compares the ways to deploy the proxy, each of which lets its clients in", async () => {
    const file = join(directory.path, "variants.json");
    const small = ["--variants", "--rounds", "1", "--scale", "0.005", "--scenario", "c=50"];
    const { stdout } = await execa(process.execPath, [program, "bench", ...small, "--json", file]);
    assert.match(stdout, /c=50 GET: tls ÷ users/);
    assert.match(stdout, /c=50 SET: users ÷ unrestricted/);
    const { series } = JSON.parse(readFileSync(file, "utf8")) as VariantsResult;
    assert.equal(series.length, 2);
    for (const { measured } of series) {
      assert.deepEqual(Object.keys(measured), ["plain", "unrestricted", "users", "tls", "workers=2"]);
      for (const [one] of Object.values(measured)) assert.ok(one !== undefined && one.requestsPerSecond > 0);
    }
  });

  it("names an unknown scenario and a bad number, and what is allowed", async () => {
    const wrong = await execa(process.execPath, [program, "bench", "--scenario", "c=7"], { reject: false });
    assert.equal(wrong.exitCode, 1);
    assert.match(wrong.stderr, /no scenario 'c=7'.*'c=50'/);
    const number = await execa(process.execPath, [program, "bench", "--rounds", "0"], { reject: false });
    assert.equal(number.exitCode, 1);
    assert.match(number.stderr, /whole number from 1 to 100/);
  });
});
