import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { writeThrough } from "../support/endpoint-client.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";

const program = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

describe("redis-ha local", function () {
  this.timeout(60_000);
  let parent: string;
  let directory: string;
  let basePort: number;

  beforeEach(async () => {
    parent = mkdtempSync(join(tmpdir(), "redis-ha-cli-"));
    directory = join(parent, "state");
    basePort = await freeBasePort();
  });

  afterEach(async () => {
    await redisHa("down");
    assert.deepEqual(processesOf(), [], "processes that are left");
    rmSync(parent, { recursive: true, force: true });
  });

  function redisHa(command: string, args: readonly string[] = [], environment: Record<string, string> = {}) {
    return execa(process.execPath, [program, "local", command, "--dir", directory, ...args], {
      reject: false,
      env: environment,
    });
  }

  const up = (args: readonly string[] = [], environment: Record<string, string> = {}) =>
    redisHa("up", ["--port", String(basePort), ...args], environment);

  /** Processes whose output goes to the directory of this test: all parts, and what they start. */
  function processesOf(): string[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return readlinkSync(`/proc/${pid}/fd/1`).startsWith(parent);
        } catch {
          // It has ended, or is one of the kernel's.
          return false;
        }
      });
  }

  /** Refused in one sentence, and nothing was changed or started. */
  async function refuses(result: ReturnType<typeof redisHa>, message: RegExp): Promise<void> {
    const { exitCode, stderr, stdout } = await result;
    assert.equal(exitCode, 1, stdout);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /, "no stack trace");
    assert.deepEqual(processesOf(), []);
  }

  it("goes up, tells its state, and goes down", async () => {
    const { exitCode, stdout, stderr } = await up(["--detach", "--json"]);
    assert.equal(exitCode, 0, stderr);
    const outputs = JSON.parse(stdout) as Record<string, string | number>;
    assert.equal(outputs.proxyEndpoint, `127.0.0.1:${basePort}`);
    assert.equal(outputs.proxyHost, "127.0.0.1");
    assert.equal(outputs.proxyPort, basePort);
    assert.ok(String(outputs.masterName).length > 0);
    const password = readFileSync(String(outputs.credentialsFile), "utf8").trim();
    await writeThrough(basePort, password, "key", "1");

    const status = await redisHa("status", ["--json"]);
    assert.equal(status.exitCode, 0, status.stdout);
    assert.equal((JSON.parse(status.stdout) as { healthy: boolean }).healthy, true);
    assert.equal(
      processesOf().length,
      10,
      "three instances with their supervisors, three Sentinels, the proxy",
    );
    const second = await up();
    assert.equal(second.exitCode, 1);
    assert.match(second.stderr, /runs in .* already: redis-ha local down/);
    assert.equal((await redisHa("status")).exitCode, 0, "the first one is not disturbed");

    assert.equal((await redisHa("down")).exitCode, 0);
    const after = await redisHa("status");
    assert.equal(after.exitCode, 1);
    assert.match(after.stdout, /No master/);
  });

  it("stops everything at Ctrl-C", async () => {
    const running = up(["--json"]);
    let output = "";
    // What it says on stderr tells why there are no outputs.
    for (const stream of [running.stdout, running.stderr]) {
      stream?.on("data", (data: Buffer) => {
        output += data.toString();
      });
    }
    await eventually(() => assert.match(output, /proxyEndpoint/), { withinMs: 30_000 });
    running.kill("SIGINT");
    const { exitCode, stderr } = await running;
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(processesOf(), []);
  });

  it("stops everything at Ctrl-C while it starts", async () => {
    const running = up();
    await eventually(() => assert.ok(existsSync(join(directory, "logs"))), { withinMs: 30_000, everyMs: 5 });
    running.kill("SIGINT");
    const { exitCode } = await running;
    assert.notEqual(exitCode, undefined);
    assert.deepEqual(processesOf(), []);
  });

  it("can be ended, and started again, after the command itself was killed", async () => {
    const running = up(["--json"]);
    let output = "";
    // What it says on stderr tells why there are no outputs.
    for (const stream of [running.stdout, running.stderr]) {
      stream?.on("data", (data: Buffer) => {
        output += data.toString();
      });
    }
    await eventually(() => assert.match(output, /proxyEndpoint/), { withinMs: 30_000 });
    running.kill("SIGKILL");
    await running;
    const records = JSON.parse(readFileSync(join(directory, "processes.json"), "utf8")) as {
      name: string;
      pid: number;
    }[];
    // The supervisor of an instance, too: what it started has nobody then.
    process.kill(records.find(({ name }) => name === "redis-instance-2")?.pid ?? 0, "SIGKILL");
    assert.equal((await redisHa("down")).exitCode, 0);
    const again = await up(["--detach"]);
    assert.equal(again.exitCode, 0, again.stderr);
  });

  it("takes the number of parts and every setting", async () => {
    const { exitCode, stderr } = await up([
      "--detach",
      ...["--instances", "3", "--sentinels", "5", "--quorum", "4", "--down-after-ms", "2000"],
      ...["--set", "redis:maxmemoryPolicy=allkeys-lru"],
    ]);
    assert.equal(exitCode, 0, stderr);
    const conf = readFileSync(join(directory, "sentinel-5", "sentinel.conf"), "utf8");
    assert.match(conf, /^sentinel monitor \S+ \S+ \d+ 4$/m);
    assert.match(conf, /^sentinel down-after-milliseconds \S+ 2000$/m);
    assert.match(
      readFileSync(join(directory, "redis-1", "ha", "redis.conf"), "utf8"),
      /^maxmemory-policy allkeys-lru$/m,
    );
  });

  it("refuses a busy port and names the part that wants it", async () => {
    const server = createServer().listen(basePort + 102, "127.0.0.1");
    try {
      await refuses(up(), new RegExp(`Port ${basePort + 102} \\(redis-instance-2\\) is in use`));
    } finally {
      server.close();
    }
    assert.ok(!existsSync(directory), "no directory was made");
  });

  it("refuses ports that outgoing connections may take", async () => {
    basePort = 40_000;
    await refuses(up(), /outgoing connections: use a --port up to/);
    assert.ok(!existsSync(directory));
  });

  for (const port of ["0", "65000", "6a"]) {
    it(`refuses the first port ${port}`, async () => {
      await refuses(redisHa("up", ["--port", port]), /The first port is/);
      assert.ok(!existsSync(directory));
    });
  }

  it("refuses a machine without redis-server and says how to install it", async () => {
    await refuses(up([], { PATH: parent }), /redis-server is not in PATH: install it \(Debian/);
    assert.ok(!existsSync(directory));
  });

  it("refuses all wrong settings at once", async () => {
    await refuses(
      up(["--quorum", "9", "--set", "redis:memory=lots"]),
      /2 mistakes[\s\S]*quorum|2 mistakes[\s\S]*memory/,
    );
    assert.ok(!existsSync(directory));
  });

  it("refuses a setting without a value", async () => {
    await refuses(up(["--set", "quorum"]), /--set quorum: use namespace:key=value/);
  });

  it("leaves the files of others alone, also with --fresh", async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, "letter.txt"), "dear");
    await refuses(up(), /holds other files/);
    await refuses(up(["--fresh"]), /holds other files/);
    assert.deepEqual(readdirSync(directory), ["letter.txt"]);
  });

  it("refuses a damaged record, and leaves the data", async () => {
    mkdirSync(join(directory, "redis-1"), { recursive: true });
    writeFileSync(join(directory, "local.json"), "{");
    await refuses(up(), /holds other files|damaged/);
    assert.ok(existsSync(join(directory, "redis-1")));
  });

  it("refuses a directory that can't be written", async () => {
    writeFileSync(join(parent, "file"), "");
    directory = join(parent, "file", "state");
    await refuses(up(), /The directory .*file.state can't be used \(E[A-Z]+\)/);
  });

  it("says what it was started with when another port is asked for the same data", async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, "local.json"), JSON.stringify({ basePort: 7600, configuration: {} }));
    await refuses(up(), /belong to first port 7600, .*--port 7600, or with --fresh/);
  });

  it("says so when nothing was ever started", async () => {
    await refuses(redisHa("status"), /No local redis-ha was ever started/);
    assert.equal((await redisHa("down")).exitCode, 0);
  });

  it("names the parts when one is asked for that isn't there", async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, "local.json"), JSON.stringify({ basePort, configuration: {} }));
    await refuses(
      redisHa("restart", ["redis-instance-9"]),
      /no part 'redis-instance-9': use one of redis-sentinel-1/,
    );
  });
});
