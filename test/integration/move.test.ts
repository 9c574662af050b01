import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { Redis } from "ioredis";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { localTarget } from "../../cli/operate/local-target.ts";
import { type MoveReport, planCutOver } from "../../cli/operate/move/plan-move.ts";
import type { StatusReport } from "../../cli/operate/status-report.ts";
import { localSite } from "../../components/topology/site.ts";
import { describeTopology } from "../../components/topology/topology.ts";
import { formatAddress } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import { seededRandom } from "../../workshop/chaos/seeded-random.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { compareLists, ListWriters } from "../support/list-writers.ts";
import { freePort, RedisProcess, temporaryDirectory } from "../support/redis-process.ts";
import { SentinelSet } from "../support/sentinel-set.ts";

const guide = fileURLToPath(new URL("../../docs/move.md", import.meta.url));
const probe = fileURLToPath(new URL("../../sentinel-image/probe.sh", import.meta.url));
const program = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
/** `MOVE_ROUNDS=40` for more of them, `MOVE_SEED` for others. */
const rounds = Number(process.env.MOVE_ROUNDS ?? 2);
const seed = Number(process.env.MOVE_SEED ?? 7);
/** `MOVE_MIB=1024` for so much data at the old one; CI takes next to none. */
const dataMib = Number(process.env.MOVE_MIB ?? 0);
const mover = { username: "mover", password: "a password of theirs" };

/** As docs/move.md says: no key and no channel is needed. */
const moverRules = (/`(\+psync [^`]+)`/.exec(readFileSync(guide, "utf8"))?.[1] ?? "").split(" ");

describe("moving in from another Redis", function () {
  this.timeout(240_000);
  let source: RedisProcess;
  let sourceDirectory: ReturnType<typeof temporaryDirectory>;
  let directory: ReturnType<typeof temporaryDirectory>;
  let local: LocalTopology;
  let basePort: number;

  /** A plain Redis, as somebody else runs it: its applications need no password, and the move has a user of its own. */
  async function startSource(port: number): Promise<RedisProcess> {
    const server = await RedisProcess.start(port, [
      ...["--port", String(port), "--bind", "127.0.0.1", "--dir", sourceDirectory.path],
      ...["--save", "", "--appendonly", "yes", "--enable-debug-command", "local"],
    ]);
    await server.client.call("ACL", "SETUSER", mover.username, "on", `>${mover.password}`, ...moverRules);
    return server;
  }

  async function start(more: Readonly<Record<string, string>> = {}): Promise<LocalTopology> {
    return LocalTopology.start({
      ...{ directory: directory.path, basePort, readyWithinMs: 120_000 },
      configuration: {
        "move:source": `127.0.0.1:${source.port}`,
        "move:user": mover.username,
        "move:passwordSecret": '{"name":"the-old-one"}',
        ...(dataMib === 0 ? {} : { "redis:memory": `${3 * dataMib + 256}Mi` }),
        ...more,
      },
    });
  }

  function redisHa(...args: string[]) {
    return execa(process.execPath, [program, ...args, "--dir", directory.path], { reject: false });
  }

  async function report<T>(...args: string[]): Promise<T> {
    return JSON.parse((await redisHa(...args, "--json")).stdout) as T;
  }

  /** Else no rollout could go on while the data are taken over. */
  async function sentinelIsReady(): Promise<void> {
    const [sentinel] = describeTopology(
      local.settings,
      localSite({ basePort, directory: directory.path }),
    ).sentinels;
    const { exitCode, all } = await execa(probe, ["ready"], {
      env: { PATH: process.env.PATH ?? "", ...sentinel?.environment },
      ...{ extendEnv: false, reject: false, all: true },
    });
    assert.equal(exitCode, 0, all);
  }

  /** A client of the endpoint. Whoever needs no password there may give one all the same. */
  function connect(): Redis {
    const { proxyHost, proxyPort } = local.outputs;
    return new Redis({
      ...{ host: String(proxyHost), port: Number(proxyPort), username: "default", password: local.password },
      ...{ maxRetriesPerRequest: 0, retryStrategy: () => null, enableReadyCheck: false },
    });
  }

  beforeEach(async () => {
    sourceDirectory = temporaryDirectory();
    directory = temporaryDirectory();
    basePort = await freeBasePort();
    source = await startSource(await freePort());
    await source.client.mset("old", "data", "hash{1}", "more");
    if (dataMib > 0) await source.client.call("DEBUG", "POPULATE", dataMib * 1000, "many", 1000);
    mkdirSync(join(directory.path, "credentials", "move"), { recursive: true });
    writeFileSync(join(directory.path, "credentials", "move", "password"), `${mover.password}\n`);
    local = await start();
  });

  afterEach(async () => {
    await local.stop();
    await source.kill();
    directory.remove();
    sourceDirectory.remove();
  });

  it("takes over the data while eight clients write: no error, nothing lost or twice, a pause of less than a second", async () => {
    const before = await report<MoveReport>("move", "status");
    assert.equal(before.state, "following");
    assert.equal(before.obstacle, undefined);
    assert.equal((await report<StatusReport>("status")).healthy, true);
    await sentinelIsReady();
    const writers = new ListWriters(8, connect);
    const direct = new Redis(source.port, { maxRetriesPerRequest: 0 });
    direct.on("error", () => undefined);
    await eventually(() => assert.ok(writers.count > 500));
    assert.ok((await direct.llen("list-0")) > 0, "clients of the proxy write to the old one until then");

    const cut = await redisHa("move", "cut-over", "--yes", "--json");
    assert.equal(cut.exitCode, 0, cut.stderr);
    const { leads, pausedMs } = JSON.parse(cut.stdout) as { leads: string; pausedMs: number };
    const atCutOver = writers.count;
    await eventually(
      () => {
        assert.deepEqual(writers.errors, []);
        assert.ok(writers.count > atCutOver + 500, `${writers.count - atCutOver} writes since`);
      },
      { withinMs: 20_000 },
    );
    const written = await writers.end();

    assert.deepEqual(written.errors, []);
    assert.equal(written.disconnects, 0);
    assert.ok(written.longestMs < 1000 && pausedMs < 1000, `${written.longestMs} and ${pausedMs} ms`);
    const client = connect();
    assert.deepEqual(await compareLists(client, written), []);
    assert.equal(await client.get("old"), "data");
    await assert.rejects(direct.set("old", "split brain"), /^ReplyError: NOREPLICAS/);

    const status = await report<StatusReport>("status");
    assert.deepEqual([status.healthy, status.master?.name], [true, leads]);
    assert.equal((await report<MoveReport>("move", "status")).state, "moved");
    const again = await redisHa("move", "cut-over", "--yes");
    assert.deepEqual([again.exitCode, /have been taken over already/.test(again.stderr)], [1, true]);
    const back = await redisHa("move", "back-out", "--yes");
    assert.deepEqual(
      [back.exitCode, /what clients wrote since is nowhere else/.test(back.stderr)],
      [1, true],
    );

    process.stdout.write(
      `      ${dataMib} MiB: paused ${pausedMs} ms, longest without an answer ${Math.round(written.longestMs)} ms\n`,
    );

    // The old one comes back as what it was, and its clients with it.
    direct.disconnect();
    const { port } = source;
    await source.kill();
    source = await startSource(port);
    await eventually(() => assert.rejects(source.client.set("old", "split brain"), /NOREPLICAS/), {
      withinMs: 5000,
    });
    // What was cut over is an ordinary set: it fails over, and starts again, also with the setting still there.
    local.signal(leads, "SIGKILL");
    await eventually(async () => assert.equal(await client.set("new", "data"), "OK"), { withinMs: 10_000 });
    await local.restart(leads);
    await eventually(async () => assert.equal((await report<StatusReport>("status")).healthy, true), {
      withinMs: 30_000,
    });
    assert.equal(await client.get("new"), "data");
    client.disconnect();
  });

  it("takes over from a set with Sentinels, which see nothing to mend: no second master comes up behind its back", async () => {
    const set = await SentinelSet.around(source);
    try {
      await eventually(
        async () => assert.match(String(await set.replica.client.info("replication")), /link_status:up/),
        {
          withinMs: 20_000,
        },
      );
      const writers = new ListWriters(8, connect);
      await eventually(() => assert.ok(writers.count > 500));
      const cut = await redisHa("move", "cut-over", "--yes");
      assert.equal(cut.exitCode, 0, cut.stderr);
      // They would have replaced a master that says it is a replica within two seconds.
      await delay(5000);
      const written = await writers.end();
      assert.deepEqual([written.errors, written.disconnects], [[], 0]);
      assert.deepEqual(await set.masters(), [source.port, source.port, source.port]);
      await assert.rejects(source.client.set("old", "split brain"), /NOREPLICAS/);
      await assert.rejects(set.replica.client.set("old", "split brain"), /READONLY/);
      const client = connect();
      assert.deepEqual(await compareLists(client, written), []);
      client.disconnect();
      assert.equal((await report<StatusReport>("status")).healthy, true);
    } finally {
      await set.stop();
    }
  });

  it("is backed out: the copy is gone, the old one is untouched, and clients of the proxy notice nothing", async () => {
    const writers = new ListWriters(4, connect);
    await eventually(() => assert.ok(writers.count > 100));
    const back = await redisHa("move", "back-out", "--yes", "--json");
    assert.equal(back.exitCode, 0, back.stderr);
    const then = writers.count;
    await eventually(() => assert.ok(writers.count > then + 100));
    const written = await writers.end();
    assert.deepEqual([written.errors, written.disconnects], [[], 0]);
    assert.deepEqual(await compareLists(source.client, written), []);
    const { state, instances } = await report<MoveReport>("move", "status");
    assert.equal(state, "backed-out");
    assert.equal(instances.length, 3);
    assert.equal((await redisHa("move", "cut-over", "--yes")).exitCode, 1);

    await local.stop();
    local = await LocalTopology.start({ directory: directory.path, basePort, readyWithinMs: 120_000 });
    const client = connect();
    assert.equal(await client.get("old"), null);
    assert.equal(await client.set("mine", "1"), "OK");
    client.disconnect();
    assert.equal((await report<MoveReport>("move", "status")).state, "none");
    await source.client.set("still", "takes writes");
  });

  it("changes nothing when the old one freezes or is gone, and goes on when it is back", async () => {
    source.signal("SIGSTOP");
    const frozen = await redisHa("move", "cut-over", "--yes");
    source.signal("SIGCONT");
    assert.equal(frozen.exitCode, 1);
    assert.match(frozen.stderr, /^(Not cut over|Refused): /);
    await source.client.set("after", "the freeze");

    const { port } = source;
    await source.kill();
    const gone = await redisHa("move", "cut-over", "--yes");
    assert.equal(gone.exitCode, 1);
    assert.match(gone.stderr, /^(Not cut over|Refused): /);
    source = await startSource(port);
    await eventually(
      async () => assert.equal((await report<MoveReport>("move", "status")).obstacle, undefined),
      {
        withinMs: 30_000,
      },
    );
    const cut = await redisHa("move", "cut-over", "--yes");
    assert.equal(cut.exitCode, 0, cut.stderr);
    const client = connect();
    assert.equal(await client.get("after"), "the freeze");
    client.disconnect();
  });

  it("works where the old one doesn't let its writes be paused", async () => {
    await source.client.call("ACL", "SETUSER", mover.username, "-client|pause");
    const cut = await redisHa("move", "cut-over", "--yes");
    assert.equal(cut.exitCode, 0, cut.stderr);
    await assert.rejects(source.client.set("old", "split brain"), /NOREPLICAS/);
  });

  it("refuses to begin where the old one couldn't be kept from taking writes", async () => {
    await source.client.call("ACL", "SETUSER", mover.username, "-config");
    const cut = await redisHa("move", "cut-over", "--yes");
    assert.equal(cut.exitCode, 1);
    assert.match(cut.stderr, /can't be kept from taking writes: .*NOPERM.*is the master as before/s);
    assert.equal(await source.client.set("old", "takes writes"), "OK");
  });

  for (let round = 1; round <= rounds; round++) {
    it(`loses nothing when somebody dies or freezes in the middle of it, round ${round}`, async () => {
      const random = seededRandom(seed + round);
      const writers = new ListWriters(4, connect);
      await eventually(() => assert.ok(writers.count > 100));
      const target = localTarget(local);
      const plan = planCutOver(await target.observe({ logs: false }));
      assert.ok(plan.kind === "go");
      const heir = plan.heir.name;
      const victim = ["source killed", "source frozen", "heir killed", "heir frozen"][
        Math.floor(random() * 4)
      ];
      const afterMs = Math.floor(random() * 300);
      const order = { id: randomUUID(), heir: formatAddress(plan.heir.address), move: "cut-over" as const };
      const answer = target.orderHandOver(heir, order).then(({ reason }) => reason, messageOf);
      await delay(afterMs);
      const { port } = source;
      if (victim === "source killed") {
        await source.kill();
        source = await startSource(port);
      } else if (victim === "heir killed") {
        local.signal(heir, "SIGKILL");
        await local.restart(heir);
      } else {
        const signal = (name: NodeJS.Signals): void => {
          if (victim === "source frozen") source.signal(name);
          else local.signal(heir, name);
        };
        signal("SIGSTOP");
        await delay(5000);
        signal("SIGCONT");
      }
      const said = await answer;
      // Whatever it came to: in the end it is cut over, once, and who was told that a write is there finds it.
      await eventually(
        async () => {
          const { state } = await report<MoveReport>("move", "status");
          if (state !== "moved") await redisHa("move", "cut-over", "--yes");
          assert.equal(state, "moved");
          assert.equal((await report<StatusReport>("status")).healthy, true);
        },
        { withinMs: 90_000, everyMs: 500 },
      );
      const written = await writers.end();
      const client = connect();
      assert.deepEqual(await compareLists(client, written), [], `${victim} after ${afterMs} ms: ${said}`);
      assert.equal(await client.get("old"), "data");
      client.disconnect();
      assert.equal(written.disconnects, 0);
      assert.deepEqual(
        written.errors.filter((error) => !error.includes("UNCERTAIN")),
        [],
      );
      process.stdout.write(
        `      ${victim} after ${afterMs} ms: ${said}; ${written.errors.length} UNCERTAIN, ${Math.round(written.longestMs)} ms without an answer\n`,
      );
    });
  }

  it("starts nothing that would throw data away, and says why", async () => {
    const [first] = local.names.filter((name) => name.startsWith("redis-instance"));
    assert.ok(first);
    await local.stop();
    rmSync(join(local.stateDirectory(first), "ha", "move.json"));
    await assert.rejects(
      LocalTopology.start({
        ...{ directory: directory.path, basePort, readyWithinMs: 8000 },
        configuration: { "move:source": `127.0.0.1:${source.port}` },
      }),
      /Not healthy within/,
    );
    const log = await redisHa("logs", "--part", first);
    assert.match(log.stdout, /the volume holds data, which those of 127\.0\.0\.1:\d+ would replace/);
    // A copy that was never cut over is nobody's data: it isn't served as if it were.
    await assert.rejects(
      LocalTopology.start({ directory: directory.path, basePort, readyWithinMs: 8000 }),
      /Not healthy within/,
    );
  });
});
