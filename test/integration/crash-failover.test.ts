import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { noteCrash, readCrashNotes } from "../../sentinel-image/start/crash-notes.ts";
import { ClusterControl, type NamedPart } from "../../workshop/chaos/cluster-control.ts";
import { observer } from "../../workshop/chaos/observer.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

/** So long that whatever happens before it didn't wait for the Sentinels' silence, however busy the machine is. */
const downAfterMs = 60_000;

describe("a master whose redis-server ends by itself", function () {
  this.timeout(400_000);
  const directory = temporaryDirectory();
  let topology: LocalTopology;
  let cluster: ClusterControl;

  before(async () => {
    topology = await LocalTopology.start({
      directory: directory.path,
      basePort: await freeBasePort(),
      tester: observer,
      configuration: { "sentinel:downAfterMs": String(downAfterMs) },
    });
    cluster = await ClusterControl.of(topology, observer);
  });

  afterEach(() => cluster.recover(60_000));

  after(async () => {
    cluster.close();
    await topology.stop();
    directory.remove();
  });

  const logOf = ({ name }: NamedPart): string => readFileSync(topology.logOf(name), "utf8");
  const crashFile = (part: NamedPart): string => join(cluster.stateDirectory(part), "ha", "crashes.json");

  async function killServer(part: NamedPart): Promise<void> {
    process.kill(await cluster.serverPid(part), "SIGKILL");
    await cluster.waitForEnd(part);
  }

  it("is replaced at once, by a replica that has everything", async () => {
    const master = await cluster.master();
    await cluster.call(master, "SET", "written", "just before");
    const begin = performance.now();
    await killServer(master);
    let next: NamedPart | undefined;
    await eventually(
      async () => {
        for (const other of cluster.instances.filter(({ name }) => name !== master.name)) {
          if (String(await cluster.call(other, "ROLE")).startsWith("master")) next = other;
        }
        assert.ok(next);
      },
      { withinMs: downAfterMs },
    );
    const tookMs = performance.now() - begin;
    assert.ok(tookMs < downAfterMs, `another one was the master after ${tookMs} ms`);
    assert.match(logOf(master), /it is replaced at once/);
    const heir = next;
    assert.ok(heir);
    await eventually(async () => assert.equal(await cluster.call(heir, "GET", "written"), "just before"));
    assert.deepEqual(readCrashNotes(crashFile(master)).outcomes, { asked: 1, "backed-off": 0, left: 0 });
    // What the failover's leader would have waited for ends it: nobody else begins another one.
    await cluster.start(master);
    await eventually(async () => assert.match(String(await cluster.call(master, "ROLE")), /^slave/), {
      withinMs: 30_000,
    });
  });

  it("is left to the Sentinels when it crashed a moment before, too: a log line and a metric say so", async () => {
    const master = await cluster.master();
    const before = readCrashNotes(crashFile(master));
    writeFileSync(crashFile(master), JSON.stringify(noteCrash(before, Date.now())));
    await killServer(master);
    assert.match(logOf(master), /crashed again too soon: the failover is left to the Sentinels/);
    assert.equal(readCrashNotes(crashFile(master)).outcomes["backed-off"], 1);
    // It comes back before they have noticed, and leads on.
    await cluster.start(master);
    await eventually(async () => assert.match(String(await cluster.call(master, "ROLE")), /^master/), {
      withinMs: 30_000,
    });
  });
});
