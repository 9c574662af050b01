import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { deniedUnlessAllowed } from "../../runtime/access/denied-commands.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

/** Each name of `proxy:allowCommands`, a harmless call of it, and what an instance that executes it answers. */
const calls: readonly (readonly [name: string, call: string, answer: RegExp])[] = [
  ["acl|setuser", "ACL SETUSER temporary", /^OK$/],
  ["acl|deluser", "ACL DELUSER temporary", /^[01]$/],
  ["bgrewriteaof", "BGREWRITEAOF", /^Background append only file rewriting (started|scheduled)$|in progress/],
  // The user before may have started one.
  ["bgsave", "BGSAVE SCHEDULE", /^Background saving (started|scheduled)$|already in progress/],
  ["save", "SAVE", /^OK$|Background save already in progress/],
  ["client|kill", "CLIENT KILL ID 999999999", /^0$/],
  ["client|pause", "CLIENT PAUSE 1 WRITE", /^OK$/],
  ["client|unpause", "CLIENT UNPAUSE", /^OK$/],
  ["cluster", "CLUSTER INFO", /^ERR This instance has cluster support disabled/],
  ["config|resetstat", "CONFIG RESETSTAT", /^OK$/],
  ["config|rewrite", "CONFIG REWRITE", /^OK$/],
  ["config|set", "CONFIG SET notify-keyspace-events KEA", /^OK$/],
  ["migrate", "MIGRATE 127.0.0.1 1 no-such-key 0 100", /^NOKEY$/],
  ["pfdebug", "PFDEBUG ENCODING stats:hll", /^(sparse|dense)$/],
  // It keeps the master busy for seconds: only whether it would be executed.
  ["pfselftest", "PFSELFTEST", /^OK$/],
  // It ends the connections of all users with old versions of Redis, so it comes last.
  ["acl|load", "ACL LOAD", /^OK$/],
];

/** The users' rules and the proxy decide together; here both are genuine, and what counts is what a client sees. */
describe("commands that the operator allows, on a whole topology", function () {
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
      tester: "tester",
      configuration: {
        "proxy:allowCommands": [...deniedUnlessAllowed].join(","),
        "network:policies": "false",
        "redis:users": JSON.stringify([
          { name: "default" },
          { name: "full", rules: "~* &[^_]* +@all" },
          { name: "named", rules: "~stats:* +@read +config|set" },
          { name: "reader", rules: "~stats:* +@read" },
        ]),
      },
    });
    await ask("default", "PFADD stats:hll a");
  });
  after(async () => {
    for (const client of clients) client.disconnect();
    await local?.stop();
    directory.remove();
  });

  function connect(port: number, user: string): Redis {
    const client = new Redis({
      port,
      ...local.loginOf(user),
      enableReadyCheck: false,
      disableClientInfo: true,
      retryStrategy: null,
    });
    client.on("error", () => undefined);
    clients.push(client);
    return client;
  }

  /** What a client is answered through the proxy. */
  async function ask(user: string, call: string): Promise<string> {
    const client = connect(basePort, user);
    const [name = "", ...args] = call.split(" ");
    try {
      return String(await client.call(name, ...args).catch(({ message }: Error) => message));
    } finally {
      client.disconnect();
    }
  }

  it("are all of those that the setting may name", () => {
    assert.deepEqual(calls.map(([name]) => name).toSorted(), [...deniedUnlessAllowed].toSorted());
  });

  for (const [name, call, answer] of calls) {
    it(`${name} is executed for who may, and refused by Redis to who may not`, async () => {
      if (name === "pfselftest") {
        const judge = connect(basePort + 101, "tester");
        const verdict = (user: string): Promise<string> =>
          judge.call("ACL", "DRYRUN", user, call).then(String, String);
        assert.deepEqual([await verdict("default"), await verdict("full")], ["OK", "OK"]);
        assert.match(await verdict("reader"), /no permissions/);
        return;
      }
      assert.match(await ask("reader", call), /^NOPERM .*(user|User)/, "a user whose rules don't have it");
      for (const user of ["default", "full"]) assert.match(await ask(user, call), answer, user);
    });
  }

  it("are given one by one to a user whose rules name them one by one", async () => {
    assert.match(await ask("named", "CONFIG SET notify-keyspace-events KEA"), /^OK$/);
    assert.match(await ask("named", "CONFIG RESETSTAT"), /^NOPERM /);
  });

  it("have an effect on the master, which is what they are for", async () => {
    await ask("default", "CONFIG SET slowlog-max-len 77");
    const values = await Promise.all(
      [101, 102, 103].map(async (offset) =>
        String(await connect(basePort + offset, "tester").call("CONFIG", "GET", "slowlog-max-len")),
      ),
    );
    assert.equal(values.filter((value) => value === "slowlog-max-len,77").length, 1);
  });

  for (const user of ["default", "full"]) {
    it(`bring '${user}' nothing else`, async () => {
      for (const call of [
        "CONFIG GET masterauth",
        "ACL LIST",
        "ACL GETUSER supervisor",
        "ACL SAVE",
        "DEBUG JMAP",
        "MODULE LOAD /tmp/x.so",
        "SHUTDOWN NOSAVE",
        "REPLICAOF NO ONE",
        "FAILOVER",
      ]) {
        assert.match(await ask(user, call), /^NOPERM /, call);
      }
    });
  }
});
