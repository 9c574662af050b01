import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { writeLocalSecrets } from "../../cli/local/local-secrets.ts";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

const users = [{ name: "default" }, { name: "web" }, { name: "jobs", rules: "~jobs:* +@read +@write" }];

describe("the users of a whole topology", function () {
  this.timeout(90_000);
  const directory = temporaryDirectory();
  const clients: Redis[] = [];
  let basePort: number;
  let local: LocalTopology;

  before(async () => {
    basePort = await freeBasePort();
    local = await LocalTopology.start({
      directory: directory.path,
      basePort,
      configuration: { "redis:users": JSON.stringify(users) },
    });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect();
  });
  after(async () => {
    await local.stop();
    directory.remove();
  });

  function connect(port: number, login: { username?: string; password?: string }): Redis {
    const client = new Redis({
      port,
      ...login,
      protocol: 2,
      enableReadyCheck: false,
      disableClientInfo: true,
      retryStrategy: null,
    });
    client.on("error", () => undefined);
    clients.push(client);
    return client;
  }

  /** Through the proxy. */
  const as = (name: string): Redis => connect(basePort, local.loginOf(name));

  /** Redis brings the changed users into force within a second. */
  async function change(known: readonly { name: string; rules?: string }[]): Promise<void> {
    writeLocalSecrets(`${directory.path}/credentials`, {
      users: known,
      generation: 1,
      clientsAskSentinels: false,
    });
  }

  it("are the clients' users at the proxy: each acts as itself, at the same time as all others", async () => {
    const [web, jobs, plain] = [as("web"), as("jobs"), connect(basePort, { password: local.password })];
    const ask = (): Promise<unknown[]> =>
      Promise.all([
        web.call("ACL", "WHOAMI").catch(String),
        plain.call("ACL", "WHOAMI"),
        web.set("news:1", "x"),
        jobs.set("jobs:1", "x"),
        jobs.set("news:1", "x").catch(String),
        jobs.get("news:1").catch(String),
      ]);
    for (let i = 0; i < 20; i++) {
      const [webIs, plainIs, one, two, wrongWrite, wrongRead] = await ask();
      assert.deepEqual([webIs, plainIs, one, two], ["web", "default", "OK", "OK"]);
      assert.match(String(wrongWrite), /NOPERM/);
      assert.match(String(wrongRead), /NOPERM/);
    }
  });

  it("are nobody else's: wrong, missing and other users' passwords are refused everywhere", async () => {
    const ports = { proxy: basePort, instance: basePort + 101, Sentinel: basePort + 201, API: basePort + 1 };
    for (const [name, port] of Object.entries(ports)) {
      const attempts: [string, { username?: string; password?: string }][] = [
        ["no password", {}],
        ["a wrong password", { password: "wrong" }],
        ["the password of another user", { username: "web", password: local.passwordOf("jobs") }],
        ["a user who is not there", { username: "nobody", password: local.password }],
      ];
      for (const [what, login] of attempts) {
        const command =
          port === ports.Sentinel || port === ports.API ? ["SENTINEL", "MASTERS"] : ["GET", "a"];
        const [word = "", ...args] = command;
        await assert.rejects(
          connect(port, login).call(word, ...args),
          /NOAUTH|WRONGPASS/,
          `${name}: ${what}`,
        );
      }
    }
  });

  it("of the parts can't read data through the proxy, nor can the applications' log in to a Sentinel", async () => {
    for (const part of ["sentinel", "proxy", "supervisor", "probe", "exporter"]) {
      await assert.rejects(as(part).get("news:1"), /NOPERM/, part);
    }
    await assert.rejects(
      connect(basePort + 201, local.loginOf("default")).call("SENTINEL", "MASTERS"),
      /WRONGPASS|NOAUTH/,
    );
    assert.equal(
      String(
        await connect(basePort + 1, local.loginOf("web")).call(
          "SENTINEL",
          "GET-MASTER-ADDR-BY-NAME",
          local.settings.sentinel.masterName,
        ),
      ),
      `127.0.0.1,${basePort}`,
      "the proxy's own Sentinel API knows them",
    );
  });

  it("may come, and go while they are connected; nobody else notices", async () => {
    const [web, jobs] = [as("web"), as("jobs")];
    await web.set("news:1", "1");
    await change([...users, { name: "late" }]);
    await eventually(async () => assert.equal(await as("late").get("news:1"), "1"));
    const late = as("late");
    assert.equal(await late.get("news:1"), "1");

    await change(users);
    await eventually(() => assert.rejects(late.get("news:1"), /NOAUTH|WRONGPASS|Connection is closed/));
    await assert.rejects(as("late").get("news:1"), /WRONGPASS|NOAUTH/);
    assert.equal(await web.get("news:1"), "1");
    assert.equal(await jobs.set("jobs:2", "1"), "OK");
  });

  it("get changed rules while they are connected", async () => {
    const jobs = as("jobs");
    await assert.rejects(jobs.get("news:1"), /NOPERM/);
    await change(users.map((user) => (user.name === "jobs" ? { ...user, rules: "~* +@read" } : user)));
    await eventually(async () => assert.equal(await jobs.get("news:1"), "1"));
    await assert.rejects(jobs.set("jobs:1", "1"), /NOPERM/);
    await change(users);
    await eventually(async () => assert.equal(await jobs.set("jobs:1", "1"), "OK"));
  });

  it("have all that they need: no part is refused anything through a failover and a restart", async () => {
    const ports = [101, 102, 103, 201, 202, 203].map((offset) => basePort + offset);
    // Nobody may read the log of refusals, so this test gives the right to one who can change users.
    const logs = ports.slice(0, 3).map((port) => connect(port, local.loginOf("supervisor")));
    for (const log of logs) await log.call("ACL", "SETUSER", "supervisor", "+acl|log");
    for (const log of logs) await log.call("ACL", "LOG", "RESET");
    const before = (await local.status()).master;
    const sentinel = connect(basePort + 201, local.loginOf("supervisor"));
    await sentinel.call("SENTINEL", "FAILOVER", local.settings.sentinel.masterName);
    await eventually(
      async () => {
        const status = await local.status();
        assert.notEqual(status.master, before);
        assert.ok(status.healthy);
      },
      { withinMs: 20_000 },
    );
    await local.restart("redis-sentinel-2");
    await eventually(async () => assert.ok((await local.status()).healthy), { withinMs: 20_000 });
    for (const log of logs) {
      const again = connect(Number(log.options.port), local.loginOf("supervisor"));
      assert.deepEqual(await again.call("ACL", "LOG"), [], `refusals on ${log.options.port}`);
    }
  });
});
