import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { readLocalPassword } from "../../cli/local/local-secrets.ts";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { replaceFile } from "../../runtime/replace-file.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

/** Whoever owns the Secret changes it while clients write: nothing of redis-ha is told, nothing restarts. */
describe("a password from the platform", function () {
  this.timeout(120_000);
  const directory = temporaryDirectory();
  let local: LocalTopology;
  let basePort: number;

  before(async () => {
    basePort = await freeBasePort();
    local = await LocalTopology.start({
      directory: directory.path,
      basePort,
      configuration: {
        "redis:users": JSON.stringify([
          { name: "default" },
          { name: "shop", rules: "~* +@all", existingSecret: { name: "shop-login" } },
        ]),
      },
    });
  });
  after(async () => {
    await local.stop();
    directory.remove();
  });

  const give = (...passwords: string[]): void =>
    replaceFile(join(directory.path, "credentials", "users", "shop"), `${passwords.join("\n")}\n`);

  function connect(password: string, port = basePort): Redis {
    const client = new Redis({
      port,
      username: "shop",
      password,
      lazyConnect: true,
      retryStrategy: null,
      enableReadyCheck: false,
    });
    client.on("error", () => undefined);
    return client;
  }

  async function login(password: string, port?: number): Promise<string> {
    const client = connect(password, port);
    let refusal = "";
    client.on("error", (error: Error) => {
      refusal = error.message;
    });
    try {
      await client.connect();
      const answer = await client.ping();
      return refusal === "" ? answer : refusal;
    } catch (error) {
      return refusal === "" ? String(error) : refusal;
    } finally {
      client.disconnect();
    }
  }

  it("is taken from outside and followed: the new one beside the old, then alone, without an error for who writes", async () => {
    const first = readLocalPassword(join(directory.path, "credentials"), "shop");
    const writer = connect(first);
    await writer.connect();
    let writes = 0;
    let stopped = false;
    const errors: string[] = [];
    const writing = (async () => {
      while (!stopped) {
        await writer.incr("counter").then(
          () => writes++,
          (error: unknown) => errors.push(String(error)),
        );
        await delay(5);
      }
    })();
    const accepts = (password: string, yes: boolean): Promise<void> =>
      eventually(
        async () => {
          // By the servers, and by the proxy's own Sentinel API.
          for (const port of [basePort, basePort + 1]) {
            const said = await login(password, port);
            assert.ok(yes ? said === "PONG" : /WRONGPASS|NOAUTH/.test(said), `port ${port}: ${said}`);
          }
        },
        { withinMs: 20_000 },
      );
    await accepts(first, true);
    await accepts("second", false);
    give(first, "second");
    await accepts("second", true);
    await accepts(first, true);
    give("second");
    await accepts(first, false);
    await accepts("second", true);
    rmSync(join(directory.path, "credentials", "users", "shop"));
    await delay(2500);
    await accepts("second", true);
    stopped = true;
    await writing;
    assert.deepEqual(errors, []);
    assert.ok(writes > 100, `${writes} writes`);
    assert.equal(Number(await writer.get("counter")), writes);
    writer.disconnect();
  });
});
