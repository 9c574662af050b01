import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { answers } from "../support/fake-redis-faults.ts";
import { ProxiedRedis } from "../support/proxied-redis.ts";
import { useProxy } from "../support/proxy-fixture.ts";
import type { RespClient } from "../support/resp-client.ts";

const replicaWords = "READONLY You can't write against a read only replica.";
const noReplicas = "NOREPLICAS Not enough good replicas to write.";

describe("the proxy, errors that a program has chosen", () => {
  let master: ProxiedRedis;
  let client: RespClient;
  before(async () => {
    master = await ProxiedRedis.start();
  });
  after(() => master.stop());
  beforeEach(async () => {
    client = await master.proxy.client();
    await client.call("DEL n");
  });

  const script = "redis.call('incr', KEYS[1]); return redis.error_reply(ARGV[1])";
  const library = `#!lua name=own\nredis.register_function('own', function(KEYS, ARGV) ${script} end)`;

  for (const error of [
    "READONLY this order is closed",
    "LOADING bay 3 is full",
    "MASTERDOWN for today",
    "NOREPLICAS of that kind",
    "MISCONF ask your administrator",
    "UNBLOCKED by nobody",
    "EXECABORT Transaction discarded because of: READONLY x",
    // Word for word what Redis would say; but it is a master with all its replicas (none are asked for).
    replicaWords,
    `${replicaWords} script: 0, on @user_script:1.`,
    noReplicas,
    "LOADING Redis is loading the dataset in memory",
    "MISCONF Errors writing to the AOF file: No space left on device",
  ]) {
    for (const [how, call] of [
      ["EVAL", () => client.call("EVAL", script, "1", "n", error)],
      [
        "FCALL",
        async () => {
          await client.call("FUNCTION", "LOAD", "REPLACE", library);
          return client.call("FCALL", "own", "1", "n", error);
        },
      ],
      [
        "EVAL on a connection of its own",
        async () => {
          await client.call("CLIENT ID");
          return client.call("EVAL", script, "1", "n", error);
        },
      ],
      [
        "EVAL of more than 2 MiB",
        () => client.call("EVAL", script, "1", "n", error, "x".repeat(3 * 2 ** 20)),
      ],
      [
        "EXEC",
        async () => {
          await client.call("MULTI");
          await client.call("EVAL", script, "1", "n", error);
          const replies = await client.call("EXEC");
          return Array.isArray(replies) ? (replies as unknown[])[0] : replies;
        },
      ],
    ] as const) {
      it(`${how} runs once, and is answered at once: ${error}`, async () => {
        const begin = performance.now();
        assert.equal(await call(), `-${error}`);
        assert.ok(performance.now() - begin < 3000, "it was answered late");
        assert.equal(await client.call("GET n"), "1");
      });
    }
  }

  it("keep the order of a pipeline", async () => {
    const write = (text: string) => ["EVAL", script, "1", "n", text] as const;
    for (const [i, error] of [replicaWords, "READONLY x", noReplicas].entries()) {
      client.send("INCR m");
      client.send(...write(error));
      client.send("GET n");
      client.send("INCR m");
      assert.deepEqual(await client.replies(4), [2 * i + 1, `-${error}`, String(i + 1), 2 * i + 2]);
    }
  });

  it("CLIENT UNBLOCK … ERROR ends what blocks", async () => {
    const id = await client.call("CLIENT ID");
    client.send("BLPOP nothing 0");
    const other = await master.proxy.client();
    await eventually(async () => assert.equal(await other.call("CLIENT", "UNBLOCK", String(id), "ERROR"), 1));
    assert.equal(await client.reply(), "-UNBLOCKED client unblocked via CLIENT UNBLOCK");
    assert.equal(await client.call("INCR n"), 1);
  });
});

describe("the proxy, scripts that Redis itself refuses", () => {
  let master: ProxiedRedis;
  before(async () => {
    master = await ProxiedRedis.start(["min-replicas-to-write 1", "min-replicas-max-lag 10"]);
  });
  after(() => master.stop());

  it("wait until the master has its replicas, as other writes do", async () => {
    const client = await master.proxy.client();
    client.send("EVAL", "return redis.call('incr', KEYS[1])", "1", "n");
    await delay(300);
    assert.deepEqual(client.unread, []);
    await master.redis.client.config("SET", "min-replicas-to-write", "0");
    assert.equal(await client.reply(), 1);
  });
});

describe("the proxy, scripts that a demoted master refuses", () => {
  const test = useProxy();

  it("are sent to the next master", async () => {
    const client = await test.client();
    test.first.always(/^EVAL/, answers(`-${replicaWords} script: 0, on @user_script:1.`));
    test.first.becomeReplica({ kill: false });
    client.send("EVAL return 0 a");
    await test.proxy.holds();
    test.second.always(/^EVAL/, answers(":1"));
    test.topology.promoteSecond();
    assert.equal(await client.reply(), 1);
  });
});
