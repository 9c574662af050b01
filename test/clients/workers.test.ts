import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { Redis } from "ioredis";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";
import { prepareWorkers } from "../support/toolchains.ts";

const workers = {
  Celery: ["celery", "-A", "jobs", "worker", "--concurrency=1", "--loglevel=INFO"],
  RQ: ["rq.cli", "worker", "jobs"],
} as const;
const python = await prepareWorkers().catch((error: Error) => error);

describe("idle workers, when the master is killed", function () {
  this.timeout(90_000);
  const place = temporaryDirectory();
  let local: LocalTopology;
  let redis: Redis;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    const basePort = await freeBasePort();
    local = await LocalTopology.start({ directory: place.path, basePort });
    redis = new Redis({ port: basePort, password: local.password });
    const url = `redis://:${local.password}@127.0.0.1:${basePort}/0`;
    env = { ...process.env, REDIS_URL: url, RQ_REDIS_URL: url };
  });

  after(async () => {
    redis?.disconnect();
    await local?.stop();
    place.remove();
  });

  for (const [title, worker] of Object.entries(workers)) {
    const name = title.toLowerCase();
    if (python instanceof Error) it(title, () => Promise.reject(python));
    else if (python.missing !== undefined) it.skip(`${title}: SKIPPED, ${python.missing}`);
    else {
      const { command, args } = python;
      it(`${title} lives on, and does each job that comes then once`, async () => {
        const start = (more: readonly string[]) =>
          execa(command, [...args, ...more], {
            cwd: fileURLToPath(new URL("workers", import.meta.url)),
            env,
            all: true,
            reject: false,
            stdin: "ignore",
            // It has processes of its own: they end with it.
            detached: true,
          });
        const handOver = async (first: number, count: number): Promise<void> => {
          const { failed, all } = await start(["jobs", name, String(first), String(count)]);
          assert.ok(!failed, all);
        };
        const process_ = start(worker);
        let said = "";
        let ended = false;
        process_.all.on("data", (bytes) => {
          said += String(bytes);
        });
        void process_.then(() => {
          ended = true;
        });
        const done = async (...numbers: readonly number[]): Promise<void> =>
          eventually(
            async () => {
              assert.ok(!ended, `the worker has ended:\n${said.slice(-2000)}`);
              const found = await redis.lrange(`done:${name}`, 0, -1);
              assert.deepEqual(found.map(Number).toSorted(), numbers, said.slice(-2000));
            },
            { withinMs: 30_000, everyMs: 100 },
          );
        try {
          await handOver(1, 1);
          await done(1);
          await eventually(async () => assert.match(await redis.info("clients"), /blocked_clients:[1-9]/), {
            withinMs: 10_000,
          });
          await loseMaster();
          await handOver(2, 3);
          await done(1, 2, 3, 4);
        } finally {
          if (process_.pid !== undefined && !ended) process.kill(-process_.pid, "SIGKILL");
          await process_;
        }
      });
    }
  }

  async function loseMaster(): Promise<void> {
    const { master, parts } = await local.status();
    const part = parts.find(({ address, name }) => address === master && name.startsWith("redis-instance"));
    assert.ok(part, `no instance has the master's address '${master}'`);
    await local.signal(part.name, "SIGKILL");
    await eventually(async () => assert.notEqual((await local.status()).master, master), {
      withinMs: 20_000,
    });
    await local.restart(part.name);
    await eventually(async () => assert.ok((await local.status()).healthy), { withinMs: 30_000 });
  }
});
