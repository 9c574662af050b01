import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { encodeCommand } from "../../proxy/resp/command-frame.ts";
import { eventually } from "../support/eventually.ts";
import { HostileFixture, type Intruder } from "../support/hostile-fixture.ts";

const mebi = 2 ** 20;
const x = (bytes: number): Buffer => Buffer.alloc(bytes, "x");

// Attacks on the memory: the proxy stays below 512 MiB, and a normal client beside the attackers notices nothing.
describe("the proxy, attacks on its memory", function () {
  this.timeout(30_000);
  const test = new HostileFixture(false);
  beforeEach(() => test.start());
  afterEach(() => test.stop());

  function attack(title: string, body: () => Promise<void>): void {
    it(title, () => test.attack(body));
  }

  /** Attackers at the same time. */
  async function all(count: number, attack: (intruder: Intruder, i: number) => Promise<void>): Promise<void> {
    const intruders = await Promise.all(Array.from({ length: count }, () => test.insider()));
    await Promise.all(intruders.map(attack));
  }

  attack("ends a command that never ends", async () => {
    const arg = Buffer.concat([Buffer.from(`$${mebi}\r\n`), x(mebi), Buffer.from("\r\n")]);
    await all(6, async (intruder) => {
      intruder.send("*1048576\r\n$4\r\nMSET\r\n");
      await intruder.flood(arg, 200 * mebi);
    });
  });

  attack("reads no more big values at a time than fit", async () => {
    await all(40, async (intruder) => {
      intruder.send(`*3\r\n$3\r\nSET\r\n$9\r\nhostile:0\r\n$${60 * mebi}\r\n`);
      await intruder.flood(x(mebi), 20 * mebi);
    });
  });

  attack("drops those who don't read big answers", async () => {
    const setter = await test.insider();
    setter.send(encodeCommand(["SET", "hostile:big", x(mebi)]));
    await setter.answers(/^\+OK/);
    // Twelve times what all may leave unread: Redis itself is busy with it for a while.
    await all(60, async (intruder) => {
      intruder.socket.pause();
      intruder.send(Buffer.concat(Array.from({ length: 25 }, () => encodeCommand(["GET", "hostile:big"]))));
    });
    await delay(2500);
  });

  attack("doesn't keep answers for clients that have ended their side and read nothing", async () => {
    const setter = await test.insider();
    setter.send(encodeCommand(["SET", "hostile:big", x(100_000)]));
    await setter.answers(/^\+OK/);
    for (let round = 0; round < 10; round++) {
      await all(20, async (intruder) => {
        intruder.socket.pause();
        intruder.send(Buffer.concat(Array.from({ length: 70 }, () => encodeCommand(["GET", "hostile:big"]))));
        intruder.socket.end();
      });
      await delay(250);
    }
  });

  attack("bounds what a transaction keeps", async () => {
    const command = encodeCommand(["SET", "hostile:0", x(mebi)]);
    await all(3, async (intruder) => {
      intruder.command("MULTI");
      await intruder.flood(command, 200 * mebi);
    });
  });

  attack("bounds the size of a client's name", async () => {
    await all(15, async (intruder) => {
      intruder.send(encodeCommand(["CLIENT", "SETNAME", x(40 * mebi)]));
      await intruder.answers(/\r\n$/, 15_000);
      assert.match(intruder.received, /^-ERR/);
    });
  });

  attack("lets big commands of many clients go on that have come while there was no master", async () => {
    const name = encodeCommand(["CLIENT", "SETNAME", x(40 * mebi)]);
    process.kill(test.servers.redisPid, "SIGSTOP");
    await all(12, async (intruder) => {
      // Together more than fits: most of them are not read to the end until others are through.
      intruder.send(name);
      await delay(1500);
      process.kill(test.servers.redisPid, "SIGCONT");
      await intruder.answers(/^-ERR.*\r\n$/, 15_000);
    });
  });

  attack("bounds what a client is subscribed to", async () => {
    await all(1, async (intruder) => {
      for (let i = 0; i < 100 && !intruder.ended; i++) {
        const channel = Buffer.concat([Buffer.from(String(i)), x(4 * mebi)]);
        await intruder.flood(encodeCommand(["SUBSCRIBE", channel]), 1);
      }
    });
    await delay(1000);
  });

  attack("looks at few of a million arguments", async () => {
    const args = Buffer.from("$1\r\na\r\n".repeat(999_999));
    for (const name of ["CLIENT", "XREAD", "BLPOP", "SUBSCRIBE", "HELLO", "nosuchcommand"]) {
      const command = Buffer.concat([Buffer.from(`*1000000\r\n$${name.length}\r\n${name}\r\n`), args]);
      await all(3, async (intruder) => {
        await intruder.flood(command, 1);
        await intruder.answers(/^-ERR [ -~]+\r\n$/, 10_000);
      });
    }
  });

  attack(
    "passes on big answers on a connection of its client's own, without keeping them whole",
    async () => {
      const setter = await test.insider();
      setter.send(encodeCommand(["SET", "hostile:big", x(20 * mebi)]));
      await setter.answers(/^\+OK/);
      await all(1, async (intruder) => {
        intruder.command("WATCH", "hostile:big");
        intruder.command("MGET", ...Array.from({ length: 18 }, () => "hostile:big"));
        await intruder.answers(/\r\n$/);
      });
      await delay(2000);
    },
  );

  attack("keeps no chunk for the few bytes of the next command at its end", async () => {
    const value = Buffer.concat([
      encodeCommand(["SET", "hostile:0", x(64_000)]),
      Buffer.from("*2\r\n$4\r\nECHO\r\n$9\r\na"),
    ]);
    for (let round = 0; round < 20; round++) {
      await all(100, async (intruder) => {
        intruder.send(value);
        await intruder.answers(/^\+OK/);
      });
    }
    assert.ok(test.peakMiB < 230, `${test.peakMiB} MiB for 2000 clients`);
  });

  attack("ends connections to Redis that no client needs any more", async () => {
    // Without a password Redis accepts any for the default user.
    await all(1, async (intruder) => {
      for (let i = 0; i < 300; i++) {
        intruder.received = "";
        intruder.command("AUTH", "default", `any-${i}`);
        intruder.command("ECHO", "x");
        await intruder.answers(/^\+OK\r\n\$1\r\nx\r\n$/);
      }
    });
    await eventually(async () => assert.ok((await test.metric("redis_ha_proxy_upstreams")) < 10), {
      withinMs: 15_000,
    });
  });
});
