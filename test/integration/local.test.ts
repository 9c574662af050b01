import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { partUsers } from "../../runtime/access/parts.ts";
import { countKeys, writeThrough } from "../support/endpoint-client.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";

describe("a local topology", function () {
  this.timeout(90_000);
  let directory: string;
  let basePort: number;
  let local: LocalTopology;
  let startedInMs: number;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "redis-ha-local-"));
    basePort = await freeBasePort();
    const begin = performance.now();
    local = await LocalTopology.start({ directory, basePort });
    startedInMs = performance.now() - begin;
  });

  after(async () => {
    await local.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  afterEach(async () => {
    for (const name of local.names) if (!local.isRunning(name)) await local.restart(name);
    await healthy();
  });

  async function healthy(): Promise<void> {
    await eventually(
      async () => {
        const { parts } = await local.status();
        const ill = parts.filter((part) => !part.healthy).map(({ name, state }) => `${name}: ${state}`);
        assert.deepEqual(ill, []);
      },
      { withinMs: 30_000 },
    );
  }

  async function masterName(): Promise<string> {
    const { master, parts } = await local.status();
    const part = parts.find(({ address, name }) => address === master && name.startsWith("redis-instance"));
    assert.ok(part, `no instance has the master's address '${master}'`);
    return part.name;
  }

  function portOf(name: string): number {
    return basePort + 100 + Number(name.at(-1));
  }

  function sentinelFields(index: number): Promise<Map<string, string>> {
    return fieldsFrom(basePort + 200 + index);
  }

  async function fieldsFrom(
    port: number,
    login: { username?: string; password: string } = local.loginOf("exporter"),
  ): Promise<Map<string, string>> {
    const client = new Redis({
      port,
      ...login,
      protocol: 2,
      enableReadyCheck: false,
    });
    try {
      const reply = (await client.call("SENTINEL", "MASTER", local.settings.sentinel.masterName)) as string[];
      return new Map(reply.flatMap((name, i) => (i % 2 === 0 ? [[name, reply[i + 1] ?? ""] as const] : [])));
    } finally {
      client.disconnect();
    }
  }

  it("is ready within 10 seconds and serves a client through the endpoint", async () => {
    assert.ok(startedInMs < 10_000, `${startedInMs} ms`);
    await writeThrough(basePort, local.password, "first", "1");
  });

  it("refuses a client without the password", async () => {
    await assert.rejects(writeThrough(basePort, "wrong", "key", "1"), /WRONGPASS|NOAUTH/);
  });

  it("names the proxy as the master to Sentinel clients, with what the real Sentinels know", async () => {
    const [real, api] = [
      await sentinelFields(1),
      await fieldsFrom(basePort + 1, { password: local.password }),
    ];
    assert.equal(local.outputs.sentinelEndpoint, `127.0.0.1:${basePort + 1}`);
    assert.deepEqual([...api.keys()], [...real.keys()]);
    const same = [
      "name",
      "flags",
      "role-reported",
      "config-epoch",
      "num-slaves",
      "num-other-sentinels",
      "quorum",
    ];
    for (const field of [...same, "down-after-milliseconds", "failover-timeout", "parallel-syncs"]) {
      assert.equal(api.get(field), real.get(field), field);
    }
    assert.equal(`${api.get("ip")}:${api.get("port")}`, `127.0.0.1:${basePort}`);

    const client = new Redis({
      sentinels: [{ port: basePort + 1 }],
      name: local.settings.sentinel.masterName,
      password: local.password,
      sentinelPassword: local.password,
    });
    client.on("error", () => undefined);
    try {
      await client.set("by-sentinel", "1");
      assert.equal(client.stream.remotePort, basePort);
      assert.equal(await client.get("by-sentinel"), "1");
    } finally {
      client.disconnect();
    }
  });

  it("keeps every password out of all arguments, environments, logs and records", () => {
    const secrets = ["default", ...partUsers].map((user) => local.passwordOf(user));
    const pids = JSON.parse(readFileSync(join(directory, "processes.json"), "utf8")) as { pid: number }[];
    assert.equal(pids.length, 7);
    const places = [
      ...pids.flatMap(({ pid }) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`]),
      ...local.names.map((name) => join(directory, "logs", `${name}.log`)),
      join(directory, "local.json"),
      ...["redis", "sentinel", "clients"].map((kind) => join(directory, "credentials", `${kind}.acl`)),
    ];
    for (const place of places) {
      const text = readFileSync(place, "utf8");
      assert.ok(text.length > 0, place);
      for (const secret of secrets) assert.ok(!text.includes(secret), place);
    }
  });

  it("lets nobody else read what is secret", () => {
    const folder = join(directory, "credentials");
    assert.equal(statSync(folder).mode & 0o077, 0);
    const files = [
      ...readdirSync(folder).map((name) => join(folder, name)),
      join(directory, "redis-1", "ha", "redis.conf"),
      join(directory, "sentinel-1", "sentinel.conf"),
    ];
    assert.ok(files.length > 10);
    for (const file of files) assert.equal(statSync(file).mode & 0o077, 0, file);
  });

  for (const [fault, signal] of [
    ["is killed", "SIGKILL"],
    ["freezes", "SIGSTOP"],
  ] as const) {
    it(`scenario B: lets a new client write again within 5 s when the master ${fault}, and takes the old one back as a replica`, async () => {
      const old = await masterName();
      await writeThrough(basePort, local.password, "before", fault);
      local.signal(old, signal);
      const begin = performance.now();
      await eventually(() => writeThrough(basePort, local.password, "after", fault), { withinMs: 5000 });
      assert.ok(performance.now() - begin < 5000);
      // The client writes as soon as one Sentinel has announced the new master, before a majority knows it.
      const successor = await eventually(async () => {
        const name = await masterName();
        assert.notEqual(name, old);
        return name;
      });
      if (signal === "SIGSTOP") local.signal(old, "SIGCONT");
      else await local.restart(old);
      await healthy();
      assert.equal(await masterName(), successor);
    });
  }

  it("takes a master back as a replica that a script kept busy which can't be killed", async () => {
    const old = await masterName();
    const client = new Redis({ port: basePort, password: local.password, retryStrategy: () => 100 });
    try {
      await client.set("before", "busy");
      assert.ok(Number(await client.wait(1, 2000)) >= 1);
      const script = client.eval("redis.call('set', 'before', 'lost') while true do end", 0);
      await assert.rejects(script, /UNCERTAIN/);
      await eventually(() => writeThrough(basePort, local.password, "after", "busy"), { withinMs: 5000 });
      await eventually(() => assert.equal(local.isRunning(old), false), { withinMs: 15_000 });
      await local.restart(old);
      await healthy();
      assert.notEqual(await masterName(), old);
      assert.equal(await client.get("before"), "busy");
    } finally {
      client.disconnect();
    }
  });

  it("scenario D: loses no key when the master comes back at once with an empty volume, and has it as a replica within 15 s", async () => {
    const master = await masterName();
    const client = new Redis({ port: basePort, password: local.password });
    for (let i = 0; i < 200; i++) await client.set(`kept:${i}`, "x");
    assert.equal(await client.wait(2, 2000), 2);
    client.disconnect();
    const before = await countKeys(portOf(master), local.password);
    local.signal(master, "SIGKILL");
    await eventually(() => assert.ok(!local.isRunning(master)));
    rmSync(join(directory, master.replace("-instance", "")), { recursive: true });
    await local.restart(master);
    const begin = performance.now();
    await healthy();
    assert.ok(performance.now() - begin < 15_000, `${performance.now() - begin} ms`);
    assert.notEqual(await masterName(), master);
    for (const index of [1, 2, 3]) {
      assert.equal(await countKeys(basePort + 100 + index, local.password), before, `instance ${index}`);
    }
  });

  it("scenario C: never starts an instance as master while the Sentinels are gone", async () => {
    const master = await masterName();
    for (const index of [1, 2, 3]) local.signal(`redis-sentinel-${index}`, "SIGKILL");
    local.signal(master, "SIGKILL");
    await eventually(() => assert.ok(!local.isRunning(master)));
    await local.restart(master);
    const log = join(directory, "logs", `${master}.log`);
    const length = readFileSync(log, "utf8").length;
    await eventually(() => assert.match(readFileSync(log, "utf8").slice(length), /0 of 3 Sentinels answer/));
    await assert.rejects(countKeys(portOf(master), local.password));
    for (const index of [1, 2, 3]) await local.restart(`redis-sentinel-${index}`);
    await healthy();
  });

  it("brings a changed quorum into every running Sentinel and keeps what they learnt", async () => {
    const old = await masterName();
    local.signal(old, "SIGKILL");
    await eventually(async () => assert.notEqual((await local.status()).master, ""), { withinMs: 10_000 });
    await local.restart(old);
    await healthy();
    const epoch = (await sentinelFields(1)).get("config-epoch");
    assert.ok(Number(epoch) > 0);
    await local.stop();
    local = await LocalTopology.start({ directory, basePort, configuration: { "sentinel:quorum": "3" } });
    for (const index of [1, 2, 3]) {
      const fields = await sentinelFields(index);
      assert.equal(fields.get("quorum"), "3");
      assert.equal(fields.get("config-epoch"), epoch);
      assert.equal(fields.get("num-other-sentinels"), "2");
    }
    assert.ok((await countKeys(portOf(await masterName()), local.password)) >= 200);
  });
});
