import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { writeLocalSecrets } from "../../cli/local/local-secrets.ts";
import { localSite } from "../../components/topology/site.ts";
import { describeTopology } from "../../components/topology/topology.ts";
import { portsInUse } from "../../runtime/ports-in-use.ts";
import { resolveSettings } from "../../settings/resolve-settings.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";

const settings = resolveSettings({ "images:push": "false" }, "test");

function run(entrypoint: string, environment: Readonly<Record<string, string>>) {
  const program = fileURLToPath(new URL(`../../sentinel-image/${entrypoint}.ts`, import.meta.url));
  return execa(process.execPath, [program], {
    env: { PATH: process.env.PATH ?? "", ...environment },
    extendEnv: false,
    reject: false,
    all: true,
    forceKillAfterDelay: false,
  });
}

describe("an entrypoint", function () {
  this.timeout(30_000);
  let directory: string;
  let basePort: number;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "redis-ha-entrypoint-"));
    basePort = await freeBasePort();
    writeLocalSecrets(join(directory, "credentials"), {
      users: settings.redis.users,
      generation: 1,
      clientsAskSentinels: false,
    });
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function environmentOf(kind: "redis" | "sentinels"): Readonly<Record<string, string>> {
    const [workload] = describeTopology(settings, localSite({ basePort, directory }))[kind];
    assert.ok(workload);
    return workload.environment;
  }

  for (const entrypoint of ["redis", "sentinel"]) {
    it(`of ${entrypoint} tells all mistakes in its environment at once`, async () => {
      const { exitCode, all } = await run(entrypoint, { REDIS_INSTANCES: "x:y" });
      assert.equal(exitCode, 1);
      assert.match(all, /REDIS_INSTANCES is 'x:y'/);
      assert.match(all, /REDIS_SENTINELS is not set/);
    });
  }

  it("of Redis starts nothing without Sentinels, is alive meanwhile, and ends at once", async () => {
    const running = run("redis", environmentOf("redis"));
    const live = `http://127.0.0.1:${basePort + 401}/livez`;
    await eventually(async () => assert.equal((await fetch(live)).status, 200));
    let output = "";
    running.all.on("data", (data: Buffer) => {
      output += data.toString();
    });
    await eventually(() => assert.match(output, /0 of 3 Sentinels answer/), { withinMs: 10_000 });
    assert.deepEqual(await portsInUse([basePort + 101]), []);
    const begin = performance.now();
    running.kill("SIGTERM");
    const { exitCode } = await running;
    assert.equal(exitCode, 0);
    assert.ok(performance.now() - begin < 3000, "an open probe connection doesn't keep it");
    assert.ok(!existsSync(join(directory, "redis-1", "ha", "redis.conf")), "no server was ever prepared");
  });

  for (const [entrypoint, kind, port] of [
    ["redis", "redis", 401],
    ["sentinel", "sentinels", 201],
  ] as const) {
    it(`scenario L: of ${entrypoint} refuses a volume that another one uses, until that one is gone`, async () => {
      const first = run(entrypoint, environmentOf(kind));
      const listens = () =>
        eventually(async () => assert.equal((await portsInUse([basePort + port])).length, 1), {
          withinMs: 10_000,
        });
      await listens();
      // A pod on another node has other ports, but the same volume.
      const elsewhere = {
        BIND_ADDR: "127.0.0.2",
        ...environmentOf(kind),
        REDIS_ADMIN_PORT: String(basePort + 999),
      };
      const second = await run(entrypoint, elsewhere);
      assert.equal(second.exitCode, 1);
      assert.match(second.all, /another process uses this volume/);
      first.kill("SIGKILL");
      await first;
      const third = run(entrypoint, environmentOf(kind));
      await listens();
      third.kill("SIGTERM");
      await third;
    });
  }

  it("of Sentinel becomes the Sentinel itself, with the same process number", async () => {
    const running = run("sentinel", environmentOf("sentinels"));
    try {
      await eventually(async () => assert.deepEqual(await portsInUse([basePort + 201]), [basePort + 201]), {
        withinMs: 10_000,
      });
    } finally {
      running.kill("SIGTERM");
    }
    const { exitCode, all } = await running;
    assert.equal(exitCode, 0);
    assert.match(all, new RegExp(`pid=${running.pid}, just started`));
    for (const user of ["sentinel", "probe"]) {
      const password = readFileSync(join(directory, "credentials", user), "utf8").trim();
      assert.ok(password.length > 20 && !all.includes(password), user);
    }
  });
});
