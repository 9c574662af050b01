import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import {
  type BlockingCase,
  blockingCases,
  type Departure,
  departures,
  sendAndLeave,
} from "../support/departing-client.ts";
import { eventually } from "../support/eventually.ts";
import { RealMaster } from "../support/real-master.ts";
import { RespClient } from "../support/resp-client.ts";

/** Each case so often; 1000 for the whole proof. */
const runs = Number(process.env.DEPARTED_RUNS ?? 1);
/** Cases that are tried at a time. */
const atOnce = 20;
/** For comparison: without the proxy. */
const direct = process.env.DEPARTED_DIRECT !== undefined;

/** What a client sends at once. */
type Context = (command: string) => readonly string[];

const contexts: Readonly<Record<string, Context>> = {
  alone: (command) => [command],
  "with commands before it": (command) => ["PING", "EVAL return(1) 0", command],
  "with commands behind it": (command) => [command, "PING", "SET departed:behind 1"],
};

describe("the proxy, clients that leave while a command blocks for them", function () {
  this.timeout(20_000 + runs * 4000);
  let master: RealMaster;
  let port: number;
  let lastKey = 0;

  before(async () => {
    master = await RealMaster.start();
    port = direct ? master.redis.port : master.proxy.port;
  });
  after(() => master.stop());

  /** Nothing of those who have left stays in Redis, nor connections for them in the proxy. */
  async function nobodyIsBlocked(): Promise<void> {
    const witness = await RespClient.connect(port);
    await eventually(async () => {
      assert.match(String(await witness.call("INFO clients")), /blocked_clients:0\r\n/);
      assert.ok((await master.proxy.metric("redis_ha_proxy_upstreams")) < 2 * atOnce + 40);
    });
    witness.destroy();
  }

  /**
   * A Redis that learns of a departure and of a new element in one turn of its event loop feeds the one that has left. Who comes
   * later and is answered comes after that turn.
   */
  async function departureIsKnown(): Promise<void> {
    const later = await RespClient.connect(port);
    await later.call("PING");
    later.destroy();
  }

  /** Whether an element was given to one that has left. */
  async function isLost(
    test: BlockingCase,
    [context, afterMs, departure]: readonly [Context, number, Departure],
    producer: RespClient,
    beforePush = departureIsKnown,
  ): Promise<boolean> {
    const key = `departed:${++lastKey}`;
    if (test.before !== undefined) await producer.call(test.before(key));
    const socket = await sendAndLeave(port, context(test.command(key)), afterMs, departure);
    try {
      await beforePush();
      if (test.push === undefined || test.left === undefined) return false;
      await producer.call(test.push(key));
      const left = await producer.call(test.left(key));
      await producer.call(`DEL ${key} ${key}:to`);
      return left !== 1;
    } finally {
      socket.destroy();
    }
  }

  /** Each job by one of several workers; fails with the names of those that have lost an element. */
  async function none<Job>(
    jobs: readonly Job[],
    loses: (job: Job, producer: RespClient) => Promise<boolean>,
    nameOf: (job: Job) => string,
    workers = atOnce,
  ): Promise<void> {
    const lost = new Map<string, number>();
    const left = jobs.values();
    const work = async (): Promise<void> => {
      const producer = await RespClient.connect(port);
      for (const job of left) {
        if (await loses(job, producer)) lost.set(nameOf(job), (lost.get(nameOf(job)) ?? 0) + 1);
      }
      producer.destroy();
    };
    await Promise.all(Array.from({ length: workers }, work));
    assert.deepEqual([...lost], [], `of ${jobs.length}`);
    await nobodyIsBlocked();
  }

  const times = <Item>(items: readonly Item[]): Item[] => Array.from({ length: runs }, () => items).flat();

  for (const [place, context] of Object.entries(contexts)) {
    for (const departure of departures) {
      it(`feeds none that leave by ${departure}, the command ${place}`, async () => {
        const jobs = times(
          blockingCases.flatMap((test) => [0, 0.5, 2, 20].map((afterMs) => ({ test, afterMs }))),
        );
        await none(
          jobs,
          ({ test, afterMs }, producer) => isLost(test, [context, afterMs, departure], producer),
          ({ test, afterMs }) => `${test.name} after ${afterMs} ms`,
        );
      });
    }
  }

  it("feeds none that leave while a slow command of theirs is executed", async () => {
    const context: Context = (command) => ["EVAL for\tx=1,1000000\tdo\tend 0", command];
    const jobs = times(blockingCases.flatMap((test) => departures.map((departure) => ({ test, departure }))));
    await none(
      jobs,
      ({ test, departure }, producer) => isLost(test, [context, 0, departure], producer),
      ({ test, departure }) => `${test.name}, ${departure}`,
    );
  });

  it("feeds none that leave with mebibytes behind their command", async () => {
    const context: Context = (command) => [command, ...Array.from({ length: 5 }, () => `ECHO ${bulk}`)];
    const bulk = "x".repeat(2 ** 20);
    const [test] = blockingCases;
    assert.ok(test !== undefined);
    // Those bytes are read before the end is.
    const later = (): Promise<void> => delay(100);
    await none(
      times([...departures]),
      (departure, producer) => isLost(test, [context, 0, departure], producer, later),
      (departure) => departure,
      3,
    );
  });

  it("feeds none that leave while there is no master", async function () {
    if (direct) this.skip();
    const jobs = blockingCases.flatMap((test) => departures.map((departure) => ({ test, departure })));
    for (let run = 0; run < Math.min(runs, 20); run++) {
      // Frozen, it is missed by the proxy after 300 ms: some come before that, most after it.
      const pid = master.redis.pid;
      const producer = await RespClient.connect(port);
      for (const { test } of jobs.slice(0, 1)) await producer.call(`DEL ${test.name}`);
      process.kill(pid, "SIGSTOP");
      const frozen = performance.now();
      const keys = await Promise.all(
        jobs.map(async ({ test, departure }, i) => {
          const key = `held:${run}:${i}`;
          await delay((i * 600) / jobs.length);
          const socket = await sendAndLeave(port, [test.command(key)], 20, departure);
          return { key, test, socket };
        }),
      );
      assert.ok(performance.now() - frozen > 500);
      process.kill(pid, "SIGCONT");
      await producer.call("PING");
      for (const { key, test, socket } of keys) {
        if (test.name === "XREADGROUP" || test.push === undefined || test.left === undefined) continue;
        await producer.call(test.push(key));
        assert.equal(await producer.call(test.left(key)), 1, `${test.name} took an element`);
        await producer.call(`DEL ${key}`);
        socket.destroy();
      }
      producer.destroy();
    }
    await nobodyIsBlocked();
  });

  it("still answers who half-closes with everything before the command that blocks", async () => {
    const client = await RespClient.connect(port);
    client.pipeline("PING", "SET departed:before 1", "BLPOP departed:never 0", "SET departed:never 1");
    client.socket.end();
    assert.deepEqual(await client.replies(2), ["+PONG", "+OK"]);
    await client.gone();
    assert.deepEqual(client.unread, []);
    const witness = await RespClient.connect(port);
    assert.equal(await witness.call("EXISTS departed:never"), 0);
    witness.destroy();
  });
});
