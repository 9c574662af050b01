import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { formatAddress, sameAddress } from "../../runtime/address.ts";
import { ClusterControl, type NamedPart } from "../../workshop/chaos/cluster-control.ts";
import { observer } from "../../workshop/chaos/observer.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

/** The scenarios of the research on reliability, section 2, that other files don't play through, with real processes. */
describe("restarts and losses that leave other systems without a master or without data", function () {
  this.timeout(90_000);
  const directory = temporaryDirectory();
  let local: LocalTopology;
  let cluster: ClusterControl;

  before(async () => {
    local = await LocalTopology.start({
      directory: directory.path,
      basePort: await freeBasePort(),
      tester: observer,
      // A failover that came to nothing is tried again after twice this time.
      configuration: { "sentinel:failoverTimeoutMs": "3000" },
    });
    cluster = await ClusterControl.of(local, observer);
  });

  beforeEach(async () => {
    const master = await cluster.master();
    assert.equal(await cluster.call(master, "SET", "kept", "x"), "OK");
    assert.equal(await cluster.call(master, "WAIT", 2, 900), 2);
  });

  afterEach(async () => {
    await cluster.recover(40_000);
    for (const instance of cluster.instances) assert.equal(await cluster.call(instance, "GET", "kept"), "x");
  });

  after(async () => {
    cluster.close();
    await local.stop();
    directory.remove();
  });

  const volumeOf = ({ name }: NamedPart): string =>
    join(directory.path, name.replace("redis-instance", "redis").replace("redis-sentinel", "sentinel"));
  const others = (part: NamedPart, parts = cluster.instances): NamedPart[] =>
    parts.filter(({ name }) => name !== part.name);
  const masterName = (): string => local.settings.sentinel.masterName;

  async function killAll(parts: readonly NamedPart[]): Promise<void> {
    await Promise.all(parts.map((part) => cluster.kill(part)));
  }

  async function startAll(parts: readonly NamedPart[]): Promise<void> {
    await Promise.all(parts.map((part) => cluster.start(part)));
  }

  async function sentinelFields(sentinel: NamedPart): Promise<Map<string, string>> {
    const reply = (await cluster.call(sentinel, "SENTINEL", "MASTER", masterName())) as string[];
    return new Map(reply.flatMap((name, i) => (i % 2 === 0 ? [[name, reply[i + 1] ?? ""] as const] : [])));
  }

  async function agrees(sentinel: NamedPart, master: NamedPart): Promise<void> {
    const fields = await sentinelFields(sentinel);
    assert.equal(`${fields.get("ip")}:${fields.get("port")}`, formatAddress(master.address));
    assert.equal(fields.get("num-other-sentinels"), "2");
    assert.equal(fields.get("num-slaves"), "2");
  }

  function first<T>(items: readonly T[]): T {
    const [item] = items;
    assert.ok(item);
    return item;
  }

  it("a Sentinel with the wrong master and no newer epoch to learn is repaired within 15 s", async () => {
    // Nobody has failed over yet: at epoch 0 no hello of the others counts more than what it believes.
    const master = await cluster.master();
    const wrong = first(others(master));
    const sentinel = first(cluster.sentinels);
    const before = await sentinelFields(sentinel);
    await cluster.call(sentinel, "SENTINEL", "REMOVE", masterName());
    await cluster.call(
      sentinel,
      "SENTINEL",
      "MONITOR",
      masterName(),
      wrong.address.host,
      wrong.address.port,
      2,
    );
    const { username, password } = local.loginOf("sentinel");
    // With Sentinel's own 30 s it wouldn't see that its master is none, which must not keep anybody from repairing it.
    const own = ["auth-user", username, "auth-pass", password, "down-after-milliseconds", 1000];
    await cluster.call(sentinel, "SENTINEL", "SET", masterName(), ...own);
    await eventually(() => agrees(sentinel, master), { withinMs: 15_000 });
    const after = await sentinelFields(sentinel);
    for (const name of ["quorum", "down-after-milliseconds", "failover-timeout", "parallel-syncs"]) {
      assert.equal(after.get(name), before.get(name), name);
    }
  });

  it("scenario A: a ring, in which nobody is master, has a master again within 10 s", async () => {
    const master = await cluster.master();
    const replica = first(others(master));
    await cluster.call(master, "REPLICAOF", replica.address.host, replica.address.port);
    await eventually(() => cluster.master(), { withinMs: 10_000 });
  });

  it("scenario A: the master restarts at once after a failover, and no ring forms", async () => {
    const old = await cluster.master();
    await cluster.kill(old);
    const successor = await eventually(() => cluster.master(), { withinMs: 10_000 });
    await Promise.all([cluster.kill(successor).then(() => cluster.start(successor)), cluster.start(old)]);
    await eventually(() => cluster.master(), { withinMs: 10_000 });
  });

  it("scenario C: without Sentinels an instance follows the only master that works, and may not be promoted", async () => {
    const master = await cluster.master();
    const returning = first(others(master));
    await killAll([...cluster.sentinels, returning]);
    await cluster.start(returning);
    await eventually(
      async () => {
        const [role, , , link] = (await cluster.call(returning, "ROLE")) as string[];
        assert.deepEqual([role, link], ["slave", "connected"]);
      },
      { withinMs: 10_000 },
    );
    const [, priority] = (await cluster.call(returning, "CONFIG", "GET", "replica-priority")) as string[];
    assert.equal(priority, "0");
  });

  it("scenario D: a damaged append-only file is put aside, and the data come from the others", async () => {
    const master = await cluster.master();
    await cluster.kill(master);
    const files = join(volumeOf(master), "appendonlydir");
    const file = join(files, first(readdirSync(files).filter((name) => name.endsWith(".incr.aof"))));
    const bytes = readFileSync(file);
    // In the middle: the end may be cut off, which redis-server mends itself.
    bytes.fill(0x21, Math.floor(statSync(file).size / 2), Math.floor(statSync(file).size / 2) + 40);
    writeFileSync(file, bytes);
    await eventually(
      async () => {
        // As a kubelet does.
        if (!local.isRunning(master.name)) await cluster.start(master);
        assert.equal(await cluster.call(master, "GET", "kept"), "x");
      },
      { withinMs: 30_000, everyMs: 200 },
    );
    assert.ok(existsSync(`${files}.damaged`));
    assert.notEqual((await cluster.master()).name, master.name);
  });

  it("scenario E: an instance whose machine went down doesn't lead when another may have what it lost", async () => {
    const master = await cluster.master();
    await killAll(cluster.instances);
    const file = join(volumeOf(master), "ha", "last.json");
    const last = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    assert.equal(last.clean, false);
    writeFileSync(file, JSON.stringify({ ...last, bootId: "another start of the machine" }));
    await startAll(cluster.instances);
    const successor = await eventually(() => cluster.master(), { withinMs: 20_000 });
    assert.notEqual(successor.name, master.name);
  });

  it("scenario G: a Sentinel without its volume is the same one, and agrees within 5 s", async () => {
    const master = await cluster.master();
    const sentinel = first(cluster.sentinels);
    const id = await cluster.call(sentinel, "SENTINEL", "MYID");
    const epoch = (await sentinelFields(sentinel)).get("config-epoch");
    await cluster.kill(sentinel);
    rmSync(volumeOf(sentinel), { recursive: true });
    await cluster.start(sentinel);
    await eventually(() => agrees(sentinel, master), { withinMs: 5000 });
    assert.equal(await cluster.call(sentinel, "SENTINEL", "MYID"), id);
    assert.equal((await sentinelFields(sentinel)).get("config-epoch"), epoch);
    for (const other of others(sentinel, cluster.sentinels)) await agrees(other, master);
  });

  for (const [damage, change] of [
    ["lines twice, as after a crash in the middle of a failover", (text: string) => text + text],
    ["half of its text", (text: string) => text.slice(0, text.length / 2)],
    ["zeros", (text: string) => "\0".repeat(text.length)],
    ["a line that somebody smuggled in", (text: string) => `${text}sentinel notification-script x /bin/sh\n`],
  ] as const) {
    it(`fault 17: a Sentinel whose file holds ${damage} starts, and agrees`, async () => {
      const master = await cluster.master();
      const sentinel = first(cluster.sentinels);
      const epoch = (await sentinelFields(sentinel)).get("config-epoch");
      await cluster.kill(sentinel);
      const file = join(volumeOf(sentinel), "sentinel.conf");
      writeFileSync(file, change(readFileSync(file, "utf8")));
      await cluster.start(sentinel);
      await eventually(() => agrees(sentinel, master), { withinMs: 5000 });
      assert.equal((await sentinelFields(sentinel)).get("config-epoch"), epoch);
      assert.doesNotMatch(readFileSync(file, "utf8"), /notification-script/);
    });
  }

  it("scenario H: with all Sentinels' volumes lost, an old copy in instance 1 isn't copied over the newest", async () => {
    const stale = first(cluster.instances);
    if (sameAddress((await cluster.master()).address, stale.address)) {
      await cluster.kill(stale);
      await eventually(() => cluster.master(), { withinMs: 10_000 });
    } else await cluster.kill(stale);
    const master = await cluster.master();
    // Longer than what may lie between two notes of a heartbeat.
    await eventually(async () => {
      const beat = String(await cluster.call(master, "GET", "__ha:heartbeat"));
      const last = readFileSync(join(volumeOf(stale), "ha", "last.json"), "utf8");
      const noted = /"heartbeat":"(?<epoch>\d+):(?<ms>\d+)"/.exec(last)?.groups;
      const [epoch, ms] = beat.split(":").map(Number);
      assert.ok(noted && (Number(epoch) > Number(noted.epoch) || Number(ms) > Number(noted.ms) + 1500));
    });
    assert.equal(await cluster.call(master, "SET", "late", "y"), "OK");
    assert.equal(await cluster.call(master, "WAIT", 1, 900), 1);
    await killAll([...others(stale), ...cluster.sentinels]);
    for (const sentinel of cluster.sentinels) rmSync(volumeOf(sentinel), { recursive: true });
    await startAll([...cluster.sentinels, ...cluster.instances]);
    const successor = await eventually(() => cluster.master(), { withinMs: 30_000 });
    assert.notEqual(successor.name, stale.name);
    await cluster.recover(30_000);
    for (const instance of cluster.instances) assert.equal(await cluster.call(instance, "GET", "late"), "y");
  });

  it("scenario H: with all Sentinels' volumes lost, an empty instance 1 isn't copied over the others", async () => {
    const empty = first(cluster.instances);
    await killAll([...cluster.instances, ...cluster.sentinels]);
    for (const part of [empty, ...cluster.sentinels]) rmSync(volumeOf(part), { recursive: true });
    await startAll([...cluster.sentinels, ...cluster.instances]);
    const successor = await eventually(() => cluster.master(), { withinMs: 30_000 });
    assert.notEqual(successor.name, empty.name);
  });

  it("scenario I: replicas that never finished a sync are not promoted when the master freezes", async () => {
    const master = await cluster.master();
    const replicas = others(master);
    await killAll(replicas);
    for (const replica of replicas) rmSync(volumeOf(replica), { recursive: true });
    const pid = await cluster.serverPid(master);
    process.kill(pid, "SIGSTOP");
    try {
      const aborts = (): number =>
        cluster.sentinels
          .map(({ name }) => readFileSync(join(directory.path, "logs", `${name}.log`), "utf8"))
          .join("")
          .split("-failover-abort-no-good-slave").length;
      await startAll(replicas);
      const areReplicas = async (): Promise<void> => {
        for (const replica of replicas) {
          assert.equal(((await cluster.call(replica, "ROLE")) as string[])[0], "slave");
        }
      };
      await eventually(areReplicas);
      const before = aborts();
      await eventually(() => assert.ok(aborts() > before), { withinMs: 25_000 });
      await areReplicas();
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await eventually(async () => assert.equal((await cluster.master()).name, master.name), {
      withinMs: 15_000,
    });
  });

  it("scenario N: a replica of a replica follows the master within 3 s", async () => {
    const master = await cluster.master();
    const [middle, last] = others(master);
    assert.ok(middle && last);
    await cluster.call(last, "REPLICAOF", middle.address.host, middle.address.port);
    await eventually(
      async () => {
        const [, host, port] = (await cluster.call(last, "ROLE")) as string[];
        assert.equal(`${host}:${port}`, formatAddress(master.address));
      },
      { withinMs: 3000 },
    );
  });
});
