import assert from "node:assert/strict";
import { encodeCommand } from "../../proxy/resp/command-frame.ts";
import { eventually } from "../support/eventually.ts";
import { HostileFixture } from "../support/hostile-fixture.ts";

// Each attack against a real proxy process, with a normal client beside it that must not notice: no error, no wrong
// answer, no lost connection. Attacks on the memory are in hostile-memory.test.ts.
describe("the proxy under attack", function () {
  this.timeout(20_000);
  const test = new HostileFixture(true);
  before(() => test.start());
  after(() => test.stop());

  function attack(title: string, body: () => Promise<void>): void {
    it(title, () => test.attack(body));
  }

  describe("frames that are none", () => {
    for (const bytes of [
      ...[
        "*1000000000\r\n",
        "*1048577\r\n",
        "*-\r\n",
        "*\r\n",
        "*+1\r\n",
        "*1e3\r\n",
        "*99999999999999999999\r\n",
      ],
      ...[`*${"1".repeat(40)}`, "*01\r\n$4\r\nPING\r\n", "*1\rx$4\r\nPING\r\n", "*1\r\n$04\r\nPING\r\n"],
      ...["*1\r\n$-1\r\n", "*1\r\n$-0\r\n\r\n", "*2\r\n$3\r\nGET\r\n$-0\r\n\r\n", "*1\r\n$67108865\r\n"],
      ...[
        "*2\r\n$4\r\nECHO\r\n$536870912\r\n",
        "*1\r\n$18446744073709551616\r\n",
        `*1\r\n$${"9".repeat(40)}`,
      ],
      ...["*1\r\n+PING\r\n", "*1\r\n:1\r\n", "*1\r\n*1\r\n$4\r\nPING\r\n", "*2\r\n$4\r\nECHO\r\n%1\r\n"],
      ...['"open\r\n', "'open\r\n", '"a"b\r\n', "x".repeat(65_537)],
    ]) {
      attack(
        `refuses ${JSON.stringify(bytes.length > 60 ? `${bytes.slice(0, 20)}…` : bytes)}, and ends that client alone`,
        async () => {
          const intruder = await test.insider();
          intruder.command("ECHO", "before");
          intruder.send(bytes);
          await intruder.isClosed();
          assert.match(intruder.received, /^\$6\r\nbefore\r\n-ERR Protocol error: [ -~]+\r\n$/);
        },
      );
    }

    attack("takes no harm from other protocols and types", async () => {
      const http = test.intruder();
      http.send("POST / HTTP/1.1\r\nHost: x\r\n\r\nflushall\r\n");
      const tls = test.intruder();
      tls.send(Buffer.from("16030102000100f2030300", "hex"));
      const reply = await test.insider();
      reply.send("+OK\r\n%1\r\n~1\r\n>1\r\n_\r\n");
      await eventually(() => assert.equal(reply.received.match(/-ERR unknown command/g)?.length, 5));
    });

    attack("ends what a web page made a browser send, before its body is executed", async () => {
      for (const start of ["POST / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"]) {
        const intruder = await test.insider();
        intruder.send(`${start}\r\nSET hostile:http 1\r\n`);
        await intruder.isClosed();
        assert.match(intruder.received, /-ERR this is Redis' protocol, not HTTP\r\n$/);
      }
      const witness = await test.insider();
      witness.command("EXISTS", "hostile:http");
      await witness.answers(/^:0\r\n$/);
    });

    attack("takes an inline line of 64 KiB, with all its quotes", async () => {
      const intruder = await test.insider();
      const text = "x".repeat(65_000);
      intruder.send(`ECHO "${text}\\x41\\n"\r\n`);
      await intruder.answers(/A\n\r\n$/);
      assert.equal(intruder.received.length, `$65002\r\n${text}A\n\r\n`.length);
    });
  });

  describe("clients without the password", () => {
    attack("allows ten short arguments", async () => {
      for (const [bytes, error] of [
        ["*11\r\n", /^-ERR Protocol error: unauthenticated multibulk length\r\n$/],
        ["*2\r\n$4\r\nAUTH\r\n$16385\r\n", /^-ERR Protocol error: unauthenticated bulk length\r\n$/],
      ] as const) {
        const intruder = test.intruder();
        intruder.send(bytes);
        await intruder.answers(error);
        await intruder.isClosed();
      }
    });

    attack("answers everything else with NOAUTH, and asks Redis for nothing", async () => {
      const intruder = test.intruder();
      for (const command of [
        "PING",
        "GET a",
        "MULTI",
        "SUBSCRIBE a",
        "SELECT 1",
        "EVAL x 0",
        "CLIENT SETNAME a",
      ]) {
        intruder.received = "";
        intruder.command(...command.split(" "));
        await intruder.answers(/^-NOAUTH [ -~]+\r\n$/);
      }
    });

    attack("gives them five seconds", async () => {
      const [silent, busy] = [test.intruder(), test.intruder()];
      const begin = performance.now();
      const knock = setInterval(() => busy.send("PING\r\n"), 200);
      await Promise.all([silent.isClosed(9000), busy.isClosed(9000)]);
      clearInterval(knock);
      const seconds = (performance.now() - begin) / 1000;
      assert.ok(seconds > 4.5, `after ${seconds} s`);
    });

    attack("keeps no answers for those who don't read them (CVE-2025-21605)", async () => {
      const before = test.peakMiB;
      const knocks = Buffer.from("X\r\n".repeat(5000));
      const intruders = Array.from({ length: 10 }, () => test.intruder());
      for (const { socket } of intruders) socket.pause();
      await Promise.all(intruders.map((intruder) => intruder.flood(knocks, 1_500_000)));
      assert.ok(test.peakMiB - before < 160, `${before} → ${test.peakMiB} MiB`);
    });

    attack("doesn't fill Redis with connections for those who guess passwords", async () => {
      let most = 0;
      const guesses = Array.from({ length: 20 }, () => test.intruder());
      for (const [i, guess] of guesses.entries()) {
        for (let n = 0; n < 10; n++) guess.command("AUTH", `guess-${i}-${n}`);
      }
      await eventually(
        async () => {
          most = Math.max(most, await test.metric("redis_ha_proxy_upstreams"));
          for (const { received } of guesses) assert.equal(received.match(/-WRONGPASS/g)?.length, 10);
        },
        { withinMs: 8000, everyMs: 10 },
      );
      assert.ok(most <= 8 + 10, `${most} connections`);
    });
  });

  describe("many promises, many clients", () => {
    attack("keeps no memory for bytes that were only promised", async () => {
      const before = test.peakMiB;
      const intruders = await Promise.all(Array.from({ length: 200 }, () => test.insider()));
      for (const intruder of intruders) intruder.send("*1048576\r\n$3\r\nSET\r\n$67108864\r\nx");
      await eventually(async () => {
        assert.ok((await test.metric("redis_ha_proxy_held_bytes")) >= 200 * 20);
      });
      assert.ok(test.peakMiB - before < 48, `${before} → ${test.peakMiB} MiB`);
    });

    attack("stands connections that come and go", async () => {
      for (let round = 0; round < 10; round++) {
        const intruders = Array.from({ length: 50 }, () => test.intruder());
        for (const [i, { socket }] of intruders.entries()) {
          if (i % 3 === 0) socket.write("PING\r\n");
          socket.once("connect", () => (i % 2 === 0 ? socket.resetAndDestroy() : socket.destroy()));
        }
        await eventually(() => assert.ok(intruders.every(({ ended }) => ended)), { everyMs: 5 });
      }
      await eventually(async () => assert.ok((await test.metric("redis_ha_proxy_clients")) <= 8));
    });

    attack("answers a deep pipeline in order, be it read or not", async () => {
      const [reader, other] = [await test.insider(), await test.insider()];
      other.socket.pause();
      const count = 20_000;
      const pipeline = Array.from({ length: count }, (_, i) => encodeCommand(["ECHO", String(i)]));
      const bytes = Buffer.concat(pipeline);
      reader.send(bytes);
      other.send(bytes);
      await reader.answers(new RegExp(`\r\n${count - 1}\r\n$`), 8000);
      const expected = Array.from({ length: count }, (_, i) => `$${String(i).length}\r\n${i}\r\n`).join("");
      assert.ok(reader.received === expected, "out of order");
    });
  });

  describe("what comes back from Redis", () => {
    const script = (lua: string): Buffer => encodeCommand(["EVAL", lua, "0"]);

    attack("stands deep nesting and long lines, for everybody who shares the connection", async () => {
      const intruder = await test.insider();
      intruder.send(script("local t={1} for i=1,5000 do t={t} end return t"));
      await intruder.answers(/:1\r\n$/);
      for (const kind of ["ok", "err"]) {
        intruder.received = "";
        intruder.send(script(`return {${kind}=string.rep('x',1000000)}`));
        await intruder.answers(/x\r\n$/);
        assert.equal(intruder.received.length, 1_000_003);
      }
    });

    attack("lets no script put a reply of its own between those of others", async () => {
      for (const lua of [
        "return {err='ERR x\\r\\n+INJECTED'}",
        "return {ok='x\\r\\n+INJECTED'}",
        "return redis.error_reply('x\\r\\n+INJECTED')",
        "error('x\\r\\n+INJECTED')",
        "error({err='x\\r\\n+INJECTED'})",
        "return redis.pcall('x\\r\\n+INJECTED')",
        "redis.setresp(3) return {big_number='1\\r\\n+INJECTED'}",
      ]) {
        const intruder = await test.insider();
        intruder.send(Buffer.concat([script(lua), encodeCommand(["ECHO", "behind"])]));
        await intruder.answers(/\$6\r\nbehind\r\n$/);
        assert.doesNotMatch(intruder.received, /\r\n\+INJECTED/, lua);
      }
    });
  });

  attack("refuses what would act behind the Sentinels' back", async () => {
    const intruder = await test.insider();
    for (const command of [
      ...["REPLICAOF NO ONE", "SLAVEOF 127.0.0.1 1", "FAILOVER", "SHUTDOWN NOSAVE", "DEBUG SLEEP 10", "SYNC"],
      ...["PSYNC ? -1", "REPLCONF listening-port 1", "CLUSTER RESET", "MIGRATE h 1 k 0 1", "MODULE LOAD /x"],
    ]) {
      intruder.received = "";
      intruder.command(...command.split(" "));
      await intruder.answers(/^-NOPERM [ -~]+\r\n$/);
    }
  });
});
