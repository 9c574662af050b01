import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { attacks } from "../../workshop/hostile/attacks.ts";
import type { HostileResult, Verdict } from "../../workshop/hostile/report.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

const program = fileURLToPath(new URL("../../cli/redis-ha.js", import.meta.url));

describe("redis-ha hostile", function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  after(() => directory.remove());

  it("attacks a proxy in every way it knows, and no client notices", async () => {
    const file = join(directory.path, "result.json");
    const port = String(await freeBasePort());
    // Ten times the usual rate; how long answers take is not for a test to judge.
    const rates = ["--rate", "2560", "--connections", "200", "--attackers", "32", "--p99-limit", "1000"];
    const run = [
      "hostile",
      "--minutes",
      "0.1",
      "--phase",
      "3",
      "--seed",
      "5",
      "--port",
      port,
      "--json",
      file,
    ];
    const { stdout, exitCode, stderr } = await execa(process.execPath, [program, ...run, ...rates], {
      reject: false,
    });
    assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
    const result = JSON.parse(readFileSync(file, "utf8")) as HostileResult & { verdicts: Verdict[] };
    assert.deepEqual(result.attacks, Object.keys(attacks));
    assert.equal(result.noticed, 0);
    for (const { on, off } of result.rounds) {
      assert.ok(on.sent.attacks > 10 && off.sent.attacks > 10);
      assert.ok(on.normal.requests > 100 && off.normal.requests > 100);
    }
    assert.ok((result.counters.redis_ha_proxy_protocol_errors_total ?? 0) > 10);
    assert.equal(result.verdicts.length, 4);
  });

  it("ends with exit code 1 when a limit is broken", async () => {
    const port = String(await freeBasePort());
    const run = ["hostile", "--minutes", "0.05", "--phase", "1", "--port", port, "--rss-cap", "64"];
    run.push("--normal-at", "redis");
    const { exitCode, stdout } = await execa(process.execPath, [program, ...run], { reject: false });
    assert.equal(exitCode, 1);
    assert.match(stdout, /^The normal client asks Redis itself/m);
    assert.match(stdout, /^BROKEN +highest RSS: \d+ MiB \(limit 64 MiB\)$/m);
  });

  it("names an unknown attack and a bad number, and what is allowed", async () => {
    const wrong = await execa(process.execPath, [program, "hostile", "--attack", "tickling"], {
      reject: false,
    });
    assert.equal(wrong.exitCode, 1);
    assert.match(wrong.stderr, /no attack 'tickling'.*'garbage'/);
    const number = await execa(process.execPath, [program, "hostile", "--minutes", "0"], { reject: false });
    assert.match(number.stderr, /number from 0.05 to 1440/);
  });
});
