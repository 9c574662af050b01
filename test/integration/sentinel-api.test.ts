import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { Redis } from "ioredis";
import { globMatches } from "../../proxy/sentinel-api/glob-match.ts";
import { SentinelApiServer } from "../../proxy/sentinel-api/sentinel-api-server.ts";
import type { SentinelApiView } from "../../proxy/sentinel-api/sentinel-api-view.ts";
import { eventually } from "../support/eventually.ts";
import { RawClient } from "../support/raw-tcp.ts";
import { freePort, RedisProcess, temporaryDirectory } from "../support/redis-process.ts";

const password = "secret";

describe("the Sentinel API", function () {
  this.timeout(30_000);
  let directory: ReturnType<typeof temporaryDirectory>;
  let redis: RedisProcess;
  let sentinel: RedisProcess;
  let api: SentinelApiServer;
  let view: SentinelApiView;

  before(async () => {
    const [redisPort, sentinelPort] = [await freePort(), await freePort()];
    redis = await RedisProcess.start(
      redisPort,
      ["--port", String(redisPort), "--bind", "127.0.0.1", "--save", "", "--requirepass", password],
      { password },
    );
    // A Sentinel writes its file anew again and again.
    directory = temporaryDirectory();
    const file = join(directory.path, "sentinel.conf");
    const lines = [
      `port ${sentinelPort}`,
      "bind 127.0.0.1",
      `requirepass ${password}`,
      `dir ${directory.path}`,
      `sentinel monitor mymaster 127.0.0.1 ${redisPort} 1`,
      `sentinel auth-pass mymaster ${password}`,
      "sentinel down-after-milliseconds mymaster 500",
    ];
    writeFileSync(file, lines.join("\n"));
    sentinel = await RedisProcess.start(sentinelPort, [file, "--sentinel"], { password });
    const redisVersion = /redis_version:(\S+)/.exec(await redis.client.info("server"))?.[1] ?? "";
    view = {
      masterName: "mymaster",
      announced: { host: "127.0.0.1", port: redisPort },
      announcedSentinel: { host: "127.0.0.1", port: sentinelPort },
      configEpoch: 0,
      quorum: 1,
      sentinelCount: 1,
      reachableSentinels: 1,
      replicaCount: 0,
      downAfterMs: 500,
      failoverTimeoutMs: 180_000,
      parallelSyncs: 1,
      runId: "a".repeat(40),
      myId: "b".repeat(40),
      following: true,
      unchangedForMs: 0,
    };
    api = new SentinelApiServer({
      host: "127.0.0.1",
      port: 0,
      maxClients: 100,
      view: () => view,
      authenticate: async (user, given) => user === "default" && given === password,
      redisVersion: () => redisVersion,
      report: assert.ifError,
    });
    await api.listen();
  });
  after(async () => {
    await api?.close();
    await sentinel?.kill();
    await redis?.kill();
    directory?.remove();
  });

  /** What a server says to these lines, sent at once. */
  async function converse(port: number, lines: readonly string[]): Promise<string> {
    const client = await RawClient.connect(port);
    try {
      client.socket.write(`${[...lines, "SENTINEL THE-END"].join("\r\n")}\r\n`);
      const end = "-ERR unknown subcommand 'THE-END'. Try SENTINEL HELP.\r\n";
      await eventually(() => assert.ok(client.received.endsWith(end), client.received));
      return client.received;
    } finally {
      client.socket.destroy();
    }
  }

  describe("says the same as a real Sentinel", () => {
    const conversations: Record<string, readonly string[]> = {
      "to a stranger": [
        "PING",
        "ROLE",
        "SENTINEL MASTERS",
        "SENTINEL FAILOVER mymaster",
        "SUBSCRIBE a",
        "HELLO 3",
        "HELLO 9",
        "HELLO 2 SETNAME x",
        "HELLO 3 AUTH default wrong",
        "AUTH wrong",
        "AUTH nobody x",
        "AUTH a b c",
        "AUTH",
        "FOO a b",
        "SENTINEL FOO",
        "SENTINEL",
        "AUTH secret",
        "PING",
        "AUTH wrong",
        "PING",
      ],
      "about the master": [
        "AUTH default secret",
        "SENTINEL GET-MASTER-ADDR-BY-NAME mymaster",
        "SENTINEL get-master-addr-by-name other",
        "SENTINEL MASTER other",
        "SENTINEL MASTER",
        "SENTINEL MASTERS x",
        "SENTINEL REPLICAS mymaster",
        "SENTINEL REPLICAS other",
        "SENTINEL SLAVES mymaster",
        "SENTINEL slaves",
        "SENTINEL SENTINELS mymaster",
        "SENTINEL SENTINELS other",
        "SENTINEL CKQUORUM mymaster",
        "SENTINEL CKQUORUM other",
        "SENTINEL PENDING-SCRIPTS",
        "SENTINEL HELP x",
        "ROLE",
        "ROLE x",
        "INFO sentinel",
        "INFO nothing",
      ],
      "to a client that introduces itself": [
        "AUTH secret",
        "PING x",
        "PING a b",
        "CLIENT GETNAME",
        "CLIENT SETNAME x",
        "CLIENT GETNAME",
        'CLIENT SETNAME "a b"',
        'HELLO 2 SETNAME "a b"',
        'CLIENT SETNAME ""',
        "CLIENT GETNAME",
        "CLIENT SETNAME",
        "CLIENT ID x",
        "CLIENT NO-EVICT on",
        "CLIENT NO-EVICT maybe",
        "CLIENT GETREDIR",
        "CLIENT TRACKING ON BCAST PREFIX a",
        "CLIENT GETREDIR",
        "CLIENT CACHING YES",
        "CLIENT TRACKING ON OPTIN",
        "CLIENT TRACKING OFF",
        "CLIENT TRACKING ON OPTIN NOLOOP",
        "CLIENT CACHING YES",
        "CLIENT CACHING NO",
        "CLIENT CACHING maybe",
        "CLIENT TRACKING off",
        "CLIENT TRACKING maybe",
        "CLIENT TRACKING ON maybe",
        "CLIENT TRACKING ON PREFIX a",
        "CLIENT TRACKING ON OPTIN OPTOUT",
        "CLIENT TRACKING ON BCAST OPTIN",
        "CLIENT TRACKING ON REDIRECT 99999999",
        "CLIENT REPLY ON",
        "CLIENT FOO",
        "CLIENT",
        "HELLO x",
        "HELLO 1",
        "HELLO 2 FOO",
        "HELLO 2 AUTH x",
        "HELLO 2 SETNAME",
        "ACL WHOAMI",
        "COMMAND INFO nothing",
        "COMMAND DOCS nothing",
        "COMMAND COUNT x",
        "COMMAND FOO",
        "PUBLISH a b",
        "GET key",
        "",
      ],
      "to a subscriber": [
        "AUTH secret",
        "SUBSCRIBE a",
        "SUBSCRIBE a b",
        "PSUBSCRIBE c*",
        "PING",
        "PING x",
        "ROLE",
        "SENTINEL MYID x",
        "SENTINEL PENDING-SCRIPTS",
        "FOO",
        "UNSUBSCRIBE a",
        "UNSUBSCRIBE a",
        "UNSUBSCRIBE",
        "PUNSUBSCRIBE",
        "PUNSUBSCRIBE",
        "ROLE",
        "PSUBSCRIBE",
      ],
    };
    for (const [title, lines] of Object.entries(conversations)) {
      // HELLO 3 tells a password: that is no stranger.
      for (const protocol of title === "to a stranger" ? [2] : [2, 3]) {
        it(`${title}, in RESP${protocol}`, async () => {
          const all = protocol === 3 ? [`HELLO 3 AUTH default ${password}`, ...lines] : lines;
          // The number of the connection is its own.
          const plain = (text: string): string => text.replace(/(\$2\r\nid\r\n):\d+/, "$1:0");
          const [said, real] = [await converse(api.port, all), await converse(sentinel.port, all)];
          assert.equal(plain(said), plain(real));
        });
      }
    }

    const fields = ["SENTINEL MASTER mymaster", "SENTINEL MASTERS"];
    for (const line of fields) {
      it(`in the names and the order of the fields of ${line}, up and down, in both protocols`, async () => {
        const ask = async (port: number): Promise<string[]> => {
          const flat = await converse(port, [`AUTH ${password}`, line]);
          const map = await converse(port, [`HELLO 3 AUTH default ${password}`, line]);
          return [names(flat), names(map)].map((list) => list.join(" "));
        };
        await eventually(async () => assert.deepEqual(await ask(api.port), await ask(sentinel.port)));
        redis.signal("SIGSTOP");
        try {
          await eventually(async () => {
            const down = await converse(sentinel.port, [`AUTH ${password}`, line]);
            assert.match(down, /s_down,o_down,master/);
          });
          view = { ...view, following: false };
          assert.deepEqual(await ask(api.port), await ask(sentinel.port));
        } finally {
          view = { ...view, following: true };
          redis.signal("SIGCONT");
        }
        await eventually(async () => {
          const up = await converse(sentinel.port, [`AUTH ${password}`, line]);
          assert.doesNotMatch(up, /down,/);
        });
      });
    }
  });

  it("matches patterns as Redis does", async () => {
    const letters = ["a", "b", "-", "]"];
    const twos = letters.flatMap((one) => letters.map((two) => one + two));
    const texts = [...letters, ...twos, ...twos.flatMap((two) => letters.map((three) => two + three))];
    await redis.client.mset(...texts.flatMap((text) => [text, ""]));
    const part = fc.constantFrom("a", "b", "-", "^", "*", "?", "[", "]", "\\", "[a-b]", "[^a]", "[b\\-]");
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 7 }), async (parts) => {
        const pattern = parts.join("");
        const expected = new Set(await redis.client.keys(pattern));
        for (const text of texts)
          assert.equal(globMatches(pattern, text), expected.has(text), `${pattern} ${text}`);
      }),
      { numRuns: 500 },
    );
  });

  for (const protocol of [2, 3] as const) {
    describe(`to ioredis in RESP${protocol}`, () => {
      let client: Redis | undefined;
      afterEach(() => client?.disconnect());

      function connect(name: string, given = password): Redis {
        client = new Redis({
          sentinels: [{ host: "127.0.0.1", port: api.port }],
          name,
          password,
          sentinelPassword: given,
          protocol,
          failoverDetector: true,
          sentinelRetryStrategy: () => null,
          lazyConnect: true,
        });
        client.on("error", () => undefined);
        return client;
      }

      it("leads to the announced address, and moves it on only when told to", async () => {
        const one = connect("mymaster");
        await one.connect();
        assert.equal(await one.set(`from-${protocol}`, "1"), "OK");
        const id = await one.client("ID");
        await eventually(async () => {
          const listening = await converse(api.port, [`AUTH ${password}`, "CLIENT LIST TYPE pubsub"]);
          assert.match(listening, / sub=1 /);
        });
        let closed = false;
        one.once("close", () => {
          closed = true;
        });
        api.publishSwitchMaster();
        await eventually(() => assert.ok(closed));
        assert.equal(await one.get(`from-${protocol}`), "1");
        assert.notEqual(await one.client("ID"), id);
      });

      it("knows no other name", async () => {
        await assert.rejects(connect("other").connect(), /All sentinels are unreachable/);
      });

      it("wants the password", async () => {
        await assert.rejects(connect("mymaster", "wrong").connect(), /WRONGPASS|unreachable/);
      });
    });
  }
});

/** The field names of a master, in the flat list of RESP2 or the map of RESP3. */
function names(bytes: string): string[] {
  const texts = [...bytes.matchAll(/\$\d+\r\n([^\r]*)/g)].map(([, text = ""]) => text);
  const fields = texts.slice(texts.indexOf("name"));
  return fields.filter((_, i) => i % 2 === 0);
}
