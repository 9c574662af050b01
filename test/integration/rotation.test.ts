import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { writeLocalCertificates } from "../../cli/local/local-certificates.ts";
import { writeLocalSecrets } from "../../cli/local/local-secrets.ts";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { replaceFile } from "../../runtime/replace-file.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

/** Longer than a running part takes to notice a changed file. */
const noticedMs = 2500;

/** Writes without a pause, each value once, and remembers what was acknowledged. */
class Ledger {
  readonly acknowledged: string[] = [];
  readonly errors: string[] = [];
  disconnects = 0;
  readonly #client: Redis;
  readonly #key: string;
  #running = true;
  readonly #done: Promise<void>;

  constructor(client: Redis, key: string) {
    this.#client = client;
    this.#key = key;
    client.on("close", () => {
      if (this.#running) this.disconnects++;
    });
    client.on("error", (error) => this.errors.push(error.message));
    this.#done = this.#write();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    this.#client.disconnect();
  }

  async #write(): Promise<void> {
    for (let i = 0; this.#running; i++) {
      try {
        await Promise.all([
          this.#client.rpush(this.#key, String(i)),
          this.#client.incr(`${this.#key}:count`),
        ]);
        this.acknowledged.push(String(i));
      } catch (error) {
        this.errors.push(String(error));
      }
    }
  }
}

describe("new passwords and certificates under load", function () {
  this.timeout(90_000);
  const directory = temporaryDirectory();
  let basePort: number;
  let local: LocalTopology;
  const passwords: string[] = [];
  const authorities: string[] = [];

  before(async () => {
    basePort = await freeBasePort();
    local = await LocalTopology.start({
      directory: directory.path,
      basePort,
      configuration: { "tls:mode": "all" },
    });
    note();
  });
  after(async () => {
    await local.stop();
    directory.remove();
  });

  /** What an application has now: the first entry is generation 1. */
  function note(): void {
    passwords.push(local.password);
    authorities.push(readFileSync(join(directory.path, "tls", "proxy", "ca.crt"), "utf8"));
  }

  function client(generation: number): Redis {
    return new Redis({
      port: basePort,
      password: passwords[generation - 1] ?? "",
      tls: { ca: authorities[generation - 1] ?? "" },
    });
  }

  /** Writes everything of a generation; the files that match come later than all others, as on another node. */
  async function rotate(generation: number, late: RegExp): Promise<void> {
    const folder = join(directory.path, "credentials");
    const files = readdirSync(folder).filter((name) => late.test(name));
    assert.ok(files.length > 0);
    const read = (): string[] => files.map((name) => readFileSync(join(folder, name), "utf8"));
    const before = read();
    const users = local.settings.redis.users;
    writeLocalSecrets(folder, { users, generation, clientsAskSentinels: false });
    const changed = read();
    const write = (texts: string[]): void =>
      files.forEach((name, i) => {
        replaceFile(join(folder, name), texts[i] ?? "");
      });
    write(before);
    await writeLocalCertificates(join(directory.path, "tls"), { generation, hosts: [], hostnames: [] });
    await delay(noticedMs);
    // As `pulumi up` does: the Sentinels one after the other, each awaited.
    for (const name of local.names.filter((part) => /sentinel-\d$/.test(part))) {
      await local.restart(name);
      await eventually(async () => assert.ok((await local.status()).healthy), { withinMs: 20_000 });
    }
    write(changed);
    await delay(noticedMs);
  }

  /** The epoch rises with every failover. */
  async function epoch(): Promise<string> {
    const { master, parts } = await local.status();
    return `${master} ${parts.flatMap(({ state }) => state.match(/epoch \d+/) ?? []).join()}`;
  }

  for (const [generation, first, late] of [
    [2, "the passwords", /\.acl$/],
    [3, "the users", /^[a-z]+$/],
  ] as const) {
    it(`cost no error, no connection and no failover when ${first} come first (generation ${generation})`, async () => {
      const before = await epoch();
      const ledger = new Ledger(client(generation - 1), `ledger:${generation}`);
      const newcomers = { tried: 0, refused: [] as string[] };
      let busy = true;
      const connecting = (async () => {
        while (busy) {
          // Applications come with the password of before until they are restarted, and with the new one from then on.
          for (const known of passwords.keys()) {
            if (known + 1 < generation - 1) continue;
            const newcomer = client(known + 1);
            newcomer.on("error", (error) => newcomers.refused.push(`${known + 1}: ${error.message}`));
            await newcomer.ping().catch((error) => newcomers.refused.push(`${known + 1}: ${error}`));
            newcomer.disconnect();
            newcomers.tried++;
          }
          await delay(20);
        }
      })();
      await rotate(generation, late);
      note();
      await delay(500);
      busy = false;
      await connecting;
      await ledger.stop();

      assert.deepEqual([ledger.errors, ledger.disconnects, newcomers.refused], [[], 0, []]);
      assert.ok(newcomers.tried > 50 && ledger.acknowledged.length > 500);
      const reader = client(generation);
      assert.deepEqual(await reader.lrange(`ledger:${generation}`, 0, -1), ledger.acknowledged);
      assert.equal(await reader.get(`ledger:${generation}:count`), String(ledger.acknowledged.length));
      reader.disconnect();
      assert.equal(await epoch(), before);
    });
  }

  it("end the passwords of two generations ago", async () => {
    assert.equal(new Set(passwords).size, 3);
    const old = new Redis({
      port: basePort,
      password: passwords[0] ?? "",
      tls: { ca: authorities[2] ?? "" },
      enableReadyCheck: false,
      retryStrategy: null,
    });
    old.on("error", () => undefined);
    await assert.rejects(old.get("a"), /WRONGPASS|NOAUTH/);
    old.disconnect();
  });

  it("hold for replication and a failover, too", async () => {
    const { master, parts } = await local.status();
    const part = parts.find(({ address, name }) => address === master && name.startsWith("redis-instance"));
    assert.ok(part);
    local.signal(part.name, "SIGKILL");
    await eventually(async () => assert.notEqual((await local.status()).master || master, master), {
      withinMs: 15_000,
    });
    await local.restart(part.name);
    await eventually(async () => assert.ok((await local.status()).healthy), { withinMs: 20_000 });
    const reader = client(3);
    assert.ok((await reader.llen("ledger:3")) > 500);
    reader.disconnect();
  });
});
