import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { backUpNow } from "../../cli/operate/backup/backup-now.ts";
import { localTarget } from "../../cli/operate/local-target.ts";
import { findProgram } from "../../runtime/find-program.ts";
import { readCatalog } from "../../sentinel-image/backup/backup-catalog.ts";
import { plain } from "../../sentinel-image/backup/cipher.ts";
import { withLoadedBackup } from "../../sentinel-image/backup/loaded-backup.ts";
import { openStore } from "../../sentinel-image/backup/open-store.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

/** CI takes some; `BACKUPS=200` takes as many. */
const backupCount = Number(process.env.BACKUPS ?? 5);
const clientCount = 4;

describe("backups of a topology under load", function () {
  this.timeout(120_000 + backupCount * 15_000);
  const directory = temporaryDirectory();
  const stored = join(directory.path, "store");
  const store = openStore(`file://${stored}`);
  const signal = new AbortController().signal;
  let local: LocalTopology;
  let stopLoad: () => Promise<void> = async () => undefined;
  /** The last number that was sent, and that was acknowledged, of each client. */
  const sent = Array<number>(clientCount).fill(0);
  const acknowledged = Array<number>(clientCount).fill(0);

  before(async () => {
    mkdirSync(stored);
    local = await LocalTopology.start({
      directory: join(directory.path, "topology"),
      basePort: await freeBasePort(),
      configuration: {
        "backup:destination": `file://${stored}`,
        "backup:schedule": "never",
        "backup:keep": String(backupCount + 10),
      },
    });
    stopLoad = load();
  });

  after(async () => {
    await stopLoad();
    await local?.stop();
    directory.remove();
  });

  /** Each client appends 1, 2, 3, … to its list: what a backup holds of it has to be a prefix of that. */
  function load(): () => Promise<void> {
    const end = new AbortController();
    const { proxyPort } = local.outputs;
    const clients = sent.map(async (_, i) => {
      const client = new Redis({
        port: Number(proxyPort),
        host: "127.0.0.1",
        password: local.password,
        protocol: 2,
      });
      client.on("error", () => undefined);
      while (!end.signal.aborted) {
        const next = (sent[i] ?? 0) + 1;
        sent[i] = next;
        try {
          await client.rpush(`ledger:${i}`, next);
          acknowledged[i] = next;
        } catch {
          // Nobody knows whether it is there: its client goes on with another list.
          return client.disconnect();
        }
        await delay(1);
      }
      client.disconnect();
    });
    return async () => {
      end.abort();
      await Promise.all(clients);
    };
  }

  it(`hold a prefix of what each of ${clientCount} clients has written: ${backupCount} of them`, async () => {
    for (let i = 0; i < backupCount; i++) {
      const atLeast = [...acknowledged];
      // What is acknowledged is on its way to the replicas.
      await delay(100);
      const answer = await backUpNow(localTarget(local), () => undefined);
      const atMost = [...sent];
      assert.equal(answer.verified, true, answer.detail);
      const { backups } = await readCatalog(store);
      const manifest = backups.find((backup) => backup.manifest.id === answer.id)?.manifest;
      assert.ok(manifest);
      const program = findProgram("redis-server", process.env.PATH);
      const ledgers = await withLoadedBackup(
        { store, manifest, cipher: plain, program, signal },
        async (client) => Promise.all(sent.map((_, n) => client.lrange(`ledger:${n}`, 0, -1))),
      );
      for (const [n, ledger] of ledgers.entries()) {
        assert.deepEqual(
          ledger.map(Number),
          Array.from({ length: ledger.length }, (_, k) => k + 1),
        );
        assert.ok(ledger.length >= (atLeast[n] ?? 0), `client ${n}: ${ledger.length} of ${atLeast[n]}`);
        assert.ok(ledger.length <= (atMost[n] ?? 0));
      }
    }
  });
});

describe("a topology that begins with a backup", function () {
  this.timeout(240_000);
  const directory = temporaryDirectory();
  const stored = join(directory.path, "store");
  const topologies: LocalTopology[] = [];

  after(async () => {
    for (const local of topologies) await local.stop();
    directory.remove();
  });

  const start = async (
    name: string,
    basePort: number,
    more: Record<string, string>,
  ): Promise<LocalTopology> => {
    const local = await LocalTopology.start({
      directory: join(directory.path, name),
      basePort,
      configuration: { "backup:destination": `file://${stored}`, "backup:schedule": "never", ...more },
    });
    topologies.push(local);
    return local;
  };
  const clientOf = (local: LocalTopology): Redis => {
    const port = Number(local.outputs.proxyPort);
    return new Redis({ host: "127.0.0.1", port, password: local.password, protocol: 2 });
  };

  it("has its data on all instances, once, and never again", async () => {
    mkdirSync(stored);
    const source = await start("source", await freeBasePort(), {});
    const writer = clientOf(source);
    await writer.mset("a", "1", "b", "2");
    await writer.sadd("c", "x", "y");
    await eventually(async () => {
      const { redis } = await localTarget(source).observe({ logs: false });
      assert.ok(redis.every(({ info }) => info.db0?.startsWith("keys=4")));
    });
    const { id } = await backUpNow(localTarget(source), () => undefined);
    writer.disconnect();
    await source.stop();

    const basePort = await freeBasePort();
    const restored = await start("restored", basePort, { "backup:restoreFrom": "latest" });
    const client = clientOf(restored);
    assert.deepEqual(await client.mget("a", "b"), ["1", "2"]);
    assert.equal(await client.scard("c"), 2);
    await eventually(async () => {
      const { redis } = await localTarget(restored).observe({ logs: false });
      assert.ok(redis.every(({ info }) => info.db0?.startsWith("keys=4")));
    });
    const note = join(restored.stateDirectory("redis-instance-1"), "ha", "restored.json");
    assert.equal(JSON.parse(readFileSync(note, "utf8")).id, id);

    await client.set("a", "3");
    client.disconnect();
    await restored.stop();
    const again = await start("restored", basePort, { "backup:restoreFrom": "latest" });
    const later = clientOf(again);
    assert.equal(await later.get("a"), "3");
    later.disconnect();
  });
});
