import assert from "node:assert/strict";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { type BlockingCase, blockingCases } from "../support/departing-client.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { moveMaster } from "../support/move-master.ts";
import { temporaryDirectory } from "../support/redis-process.ts";
import { RespClient } from "../support/resp-client.ts";

/** Those that may take something. */
const takers = blockingCases.filter(
  (one): one is Required<BlockingCase> => one.push !== undefined && one.name !== "XREAD",
);

describe("clients that wait in a blocking command, when a genuine master", function () {
  this.timeout(90_000);
  const directory = temporaryDirectory();
  const clients: RespClient[] = [];
  let local: LocalTopology;
  let basePort: number;

  before(async () => {
    basePort = await freeBasePort();
    local = await LocalTopology.start({ directory: directory.path, basePort });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    for (const name of local.names) if (!local.isRunning(name)) await local.restart(name);
    await eventually(async () => assert.ok((await local.status()).healthy), { withinMs: 30_000 });
  });
  after(async () => {
    await local?.stop();
    directory.remove();
  });

  async function connect(): Promise<RespClient> {
    const client = await RespClient.connect(basePort);
    clients.push(client);
    assert.equal(await client.call("AUTH", local.password), "+OK");
    return client;
  }

  /** One client for each command, that waits in it and has one more command behind it. */
  async function block(other: RespClient, prefix: string): Promise<Map<Required<BlockingCase>, RespClient>> {
    const waiting = new Map<Required<BlockingCase>, RespClient>();
    for (const one of takers) {
      const key = `${prefix}:${one.name}`;
      if (one.name === "XREADGROUP") assert.equal(await other.call(one.before(key)), "+OK");
      const client = await connect();
      client.pipeline(one.command(key), `SET ${key}:behind 1`);
      waiting.set(one, client);
    }
    await allBlocked(other);
    return waiting;
  }

  async function allBlocked(other: RespClient): Promise<void> {
    await eventually(
      async () =>
        assert.match(
          String(await other.call("INFO", "clients")),
          new RegExp(`blocked_clients:${takers.length}\\b`),
        ),
      { withinMs: 10_000 },
    );
  }

  const masterOf = async (): Promise<string> => {
    const { master, parts } = await local.status();
    const part = parts.find(({ address, name }) => address === master && name.startsWith("redis-instance"));
    assert.ok(part, `no instance has the master's address '${master}'`);
    return part.name;
  };

  async function moved(from: string): Promise<void> {
    await eventually(async () => assert.notEqual(await masterOf(), from), { withinMs: 10_000 });
  }

  /** Gives each its element, and sees that nobody else has it. */
  async function serve(other: RespClient, prefix: string, waiting: Map<Required<BlockingCase>, RespClient>) {
    for (const [{ name, push, left }, client] of waiting) {
      const key = `${prefix}:${name}`;
      assert.doesNotMatch(String(await other.call(push(key))), /^-/, name);
      assert.match(JSON.stringify(await client.reply(5000)), /"a"/, name);
      const gone = (await other.call(left(key))) as unknown;
      assert.ok(gone === 0 || name === "XREADGROUP", `${name}: ${JSON.stringify(gone)} left`);
    }
  }

  it("hands its role over: wait on at the next one, on the same connection", async () => {
    const other = await connect();
    const waiting = await block(other, "planned");
    const from = await masterOf();
    await moveMaster(local, basePort);
    await moved(from);
    await allBlocked(other);
    await serve(other, "planned", waiting);
    for (const client of waiting.values()) assert.equal(await client.reply(), "+OK");
  });

  it("is killed: get the end of their connection and nothing else, and are served as soon as they come back", async () => {
    const other = await connect();
    const waiting = await block(other, "killed");
    const from = await masterOf();
    await local.signal(from, "SIGKILL");
    const again = new Map<Required<BlockingCase>, RespClient>();
    for (const [one, client] of waiting) {
      // At once, not when there is a master again: it may come back and wait for that.
      await client.gone();
      assert.deepEqual(client.unread, [], one.name);
      const next = await RespClient.connect(basePort);
      clients.push(next);
      next.send("AUTH", local.password);
      next.send(one.command(`killed:${one.name}`));
      again.set(one, next);
    }
    await moved(from);
    for (const client of again.values()) assert.equal(await client.reply(10_000), "+OK");
    await allBlocked(other);
    await serve(other, "killed", again);
    const behind = takers.map(({ name }) => `killed:${name}:behind`);
    assert.equal(await other.call("EXISTS", ...behind), 0);
  });
});
