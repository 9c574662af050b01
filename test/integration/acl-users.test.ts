import assert from "node:assert/strict";
import { deniedUnlessAllowed } from "../../runtime/access/denied-commands.ts";
import { type PartUser, partUsers, redisRules, sentinelRules } from "../../runtime/access/parts.ts";
import { AclServer } from "../support/acl-server.ts";

interface ListedCommand {
  readonly name: string;
  /** As many words as the server wants. */
  readonly words: string[];
}

/** All commands and subcommands of a server. */
async function listCommands(server: AclServer): Promise<ListedCommand[]> {
  const listed: ListedCommand[] = [];
  const collect = (entries: unknown[]): void => {
    for (const entry of entries) {
      const [name, arity, , , , , , , , subcommands] = entry as [string, number, ...unknown[]];
      if (Array.isArray(subcommands) && subcommands.length > 0) {
        collect(subcommands);
        continue;
      }
      const words = name.split("|");
      while (words.length < Math.abs(arity)) words.push("x");
      listed.push({ name, words });
    }
  };
  collect((await server.judge.call("COMMAND")) as unknown[]);
  return listed;
}

/** The commands that the server would let a user execute, whatever their arguments. */
async function allowed(server: AclServer, user: string): Promise<Set<string>> {
  const names = new Set<string>();
  for (const { name, words } of await listCommands(server)) {
    const verdict = String(await server.judge.call("ACL", "DRYRUN", user, ...words).catch(String));
    if (!/no permissions to run/.test(verdict)) names.add(name);
  }
  return names;
}

/** Allowed to everybody: how to log in, and out. */
const always = ["auth", "hello", "quit", "reset"];

function written(rules: string): string[] {
  return [...rules.matchAll(/\+([a-z_|-]+)/g)].map(([, name]) => name ?? "");
}

/** What would end the service, lose data, change the master, or tell and change passwords. */
const administration = [
  "ACL LIST",
  "ACL SETUSER default nopass",
  "ACL DELUSER default",
  "ACL LOAD",
  "BGREWRITEAOF",
  "BGSAVE",
  "CLIENT KILL ID 1",
  "CLIENT LIST",
  "CLIENT PAUSE 100",
  "CONFIG GET masterauth",
  "CONFIG GET *",
  "CONFIG SET min-replicas-to-write 0",
  "CONFIG REWRITE",
  "CONFIG RESETSTAT",
  "DEBUG SLEEP 0",
  "FAILOVER",
  "MIGRATE 127.0.0.1 1 key 0 100",
  "MODULE LOAD /tmp/x.so",
  "MONITOR",
  "PSYNC ? -1",
  "REPLCONF listening-port 1",
  "REPLICAOF NO ONE",
  "SLAVEOF NO ONE",
  "RESTORE key 0 x",
  "SAVE",
  "SHUTDOWN NOSAVE",
  "SLOWLOG GET",
  "SWAPDB 0 1",
  "SYNC",
];

describe("the users of a Redis whose operator allows commands on one instance", function () {
  this.timeout(30_000);
  const users = [
    { name: "default" },
    { name: "greedy", rules: "~* &[^_]* +@all" },
    { name: "reader", rules: "~news:* +@read" },
  ];

  /** What each user may do. */
  async function rightsWith(allowedCommands: readonly string[]): Promise<Map<string, Set<string>>> {
    const server = await AclServer.start("redis", users, [], allowedCommands);
    try {
      const rights = new Map<string, Set<string>>();
      for (const { name } of users) rights.set(name, await allowed(server, name));
      return rights;
    } finally {
      await server.stop();
    }
  }

  for (const names of [[...deniedUnlessAllowed], ["config|set", "acl|setuser"], ["cluster"]]) {
    it(`have exactly those, and those with rules only what their rules say: ${names.join(", ")}`, async () => {
      const [before, after] = [await rightsWith([]), await rightsWith(names)];
      // A container that is allowed means all of it.
      const isNamed = (command: string): boolean =>
        names.some((name) => command === name || command.startsWith(`${name}|`));
      const gained = (user: string): string[] =>
        [...(after.get(user) ?? [])].filter((name) => !before.get(user)?.has(name));
      for (const name of names) {
        assert.ok(
          gained("default").some((command) => command === name || command.startsWith(`${name}|`)),
          `'default' may do ${name}`,
        );
      }
      assert.deepEqual(
        gained("default").filter((command) => !isNamed(command)),
        [],
      );
      // Harmless ones of a container that isn't withheld as a whole any more.
      const harmless = ["acl|cat", "acl|genpass", "acl|help", "config|help"];
      assert.deepEqual(
        gained("greedy").filter((command) => !isNamed(command) && !harmless.includes(command)),
        [],
      );
      for (const command of gained("default")) assert.ok(after.get("greedy")?.has(command), command);
      assert.deepEqual(gained("reader"), []);
    });
  }
});

describe("the users of a Redis", function () {
  this.timeout(20_000);
  let server: AclServer;

  before(async () => {
    const users = [
      { name: "default" },
      { name: "greedy", rules: "~* &[^_]* +@all" },
      { name: "reader", rules: "~news:* +@read" },
    ];
    server = await AclServer.start("redis", users);
  });
  after(() => server.stop());

  for (const user of partUsers) {
    it(`lets '${user}' do what it needs, and not one command more`, async () => {
      const expected = [...written(redisRules[user]), ...always];
      // COMMAND is allowed with all its subcommands.
      const found = new Set(
        [...(await allowed(server, user))].map((name) => name.replace(/^command\|.*/, "command")),
      );
      assert.deepEqual([...found].sort(), expected.sort());
    });
  }

  for (const user of ["default", "greedy"]) {
    for (const command of administration) {
      // Whoever asks for all dangerous commands gets those that only tell or write data.
      if (user === "greedy" && /^(CLIENT LIST|MONITOR|RESTORE|SLOWLOG|SWAPDB)/.test(command)) continue;
      it(`doesn't let the application's user '${user}' do ${command}`, async () => {
        const [name = "", ...args] = command.split(" ");
        // Two of them nobody may do, whatever the rules are.
        const refused = /NOPERM|(DEBUG|MODULE) command not allowed/;
        await assert.rejects(server.as(user).call(name, ...args), refused);
      });
    }
  }

  it("lets an application do everything with its data", async () => {
    const client = server.as("default");
    for (const command of [
      "SET a 1",
      "LPUSH list a",
      "EVAL return(redis.call('incr','n')) 0",
      "PUBLISH news x",
      // The proxy sends it for a client that waits for its replicas.
      "PUBLISH __ha:wait x",
      "KEYS *",
      "SORT list ALPHA",
      "INFO server",
      "FLUSHDB",
      "SELECT 1",
      "CLIENT SETNAME me",
      "SCAN 0",
    ]) {
      const [name = "", ...args] = command.split(" ");
      await client.call(name, ...args);
    }
    await client.psubscribe("__key*__:*", "shop.*");
    await client.subscribe("_own");
  });

  it("keeps a user with rules to them", async () => {
    const reader = server.as("reader");
    assert.equal(await reader.get("news:1"), null);
    await assert.rejects(reader.get("other"), /NOPERM/);
    await assert.rejects(reader.set("news:1", "x"), /NOPERM/);
    await assert.rejects(reader.publish("news", "x"), /NOPERM/);
    // The proxies ask for it before they use a connection.
    assert.equal((await reader.role())[0], "master");
  });

  describe("a forged hello message", () => {
    const hello = "10.0.0.1,26379,0123456789012345678901234567890123456789,99,mymaster,6.6.6.6,6379,99";
    const channel = "__sentinel__:hello";
    const script = "return redis.call('PUBLISH', KEYS[1], ARGV[1])";
    const library =
      "#!lua name=forge\nredis.register_function('forge', function(k, a) return redis.call('PUBLISH', k[1], a[1]) end)";
    let heard: string[];

    before(async () => {
      heard = [];
      const listener = server.as("judge");
      listener.on("message", (_channel: string, message: string) => heard.push(message));
      await listener.subscribe(channel);
    });

    const ways: Record<string, (user: string) => Promise<unknown>> = {
      PUBLISH: (user) => server.as(user).publish(channel, hello),
      SPUBLISH: (user) => server.as(user).call("SPUBLISH", channel, hello),
      "a script": (user) => server.as(user).eval(script, 1, channel, hello),
      "a script that hides its errors": async (user) => {
        const reply = await server.as(user).eval(script.replace("call", "pcall"), 1, channel, hello);
        throw new Error(`NOPERM or not, nobody heard it: ${String(reply)}`);
      },
      "a function": async (user) => {
        const client = server.as(user);
        await client.call("FUNCTION", "LOAD", "REPLACE", library);
        await client.call("FCALL", "forge", 1, channel, hello);
      },
      "a transaction": async (user) => {
        const [first] = (await server.as(user).multi().publish(channel, hello).exec()) ?? [];
        if (first?.[0]) throw first[0];
      },
    };
    for (const [way, forge] of Object.entries(ways)) {
      for (const user of ["default", "greedy"]) {
        it(`can't be sent by the application's user '${user}' in ${way}`, async () => {
          await assert.rejects(forge(user), /NOPERM|can't publish|No permissions|EXECABORT/);
        });
      }
    }
    for (const user of partUsers.filter((name) => name !== "sentinel")) {
      it(`can't be sent by '${user}'`, async () => {
        await assert.rejects(server.as(user).publish(channel, hello), /NOPERM/);
      });
    }

    it("was heard by nobody, and a genuine one would have been", async () => {
      assert.equal(await server.as("sentinel").publish(channel, "genuine"), 1);
      await assert.rejects(server.as("sentinel").publish("other", "x"), /NOPERM/);
      assert.deepEqual(heard, ["genuine"]);
    });
  });

  it("refuses who gives no password, a wrong one, or one of another user", async () => {
    const stranger = server.judge.duplicate({ username: "", password: "" });
    stranger.on("error", () => undefined);
    await assert.rejects(stranger.ping(), /NOAUTH/);
    await assert.rejects(stranger.call("AUTH", "wrong"), /WRONGPASS/);
    await assert.rejects(stranger.call("AUTH", "supervisor", "judge"), /WRONGPASS/);
    await assert.rejects(stranger.call("AUTH", "nobody", "judge"), /WRONGPASS/);
    stranger.disconnect();
  });
});

describe("the users of a Sentinel", function () {
  this.timeout(20_000);
  let server: AclServer;

  before(async () => {
    server = await AclServer.start(
      "sentinel",
      [{ name: "default" }],
      ["sentinel monitor mymaster 127.0.0.1 1 1"],
    );
  });
  after(() => server.stop());

  for (const user of Object.keys(sentinelRules) as PartUser[]) {
    it(`lets '${user}' do what it needs, and not one command more`, async () => {
      const expected = [...written(sentinelRules[user] ?? ""), ...always];
      const listed = new Set((await listCommands(server)).map(({ name }) => name));
      const found = [...(await allowed(server, user))];
      assert.deepEqual(
        found.sort(),
        // A Sentinel knows neither QUIT nor RESET as a command of its own in every version.
        expected.filter((name) => listed.has(name)).sort(),
      );
    });
  }

  for (const user of [...Object.keys(sentinelRules), "default"]) {
    it(`lets '${user}' change nothing${user === "supervisor" ? " but the master" : ""}`, async () => {
      const client = server.as(user);
      for (const command of [
        "SENTINEL SET mymaster notification-script /bin/sh",
        "SENTINEL SET mymaster down-after-milliseconds 1",
        "SENTINEL MONITOR other 6.6.6.6 6379 1",
        "SENTINEL REMOVE mymaster",
        "SENTINEL RESET *",
        "SENTINEL CONFIG SET announce-ip 6.6.6.6",
        "SENTINEL FLUSHCONFIG",
        "SENTINEL SIMULATE-FAILURE crash-after-election",
        "ACL SETUSER default nopass",
        "SHUTDOWN",
      ]) {
        // It repairs a Sentinel that watches the wrong master, or knows hosts that are gone. Scripts are ruled out by the Sentinels' configuration.
        if (user === "supervisor" && /^SENTINEL (SET|MONITOR|REMOVE|RESET)/.test(command)) continue;
        const [name = "", ...args] = command.split(" ");
        await assert.rejects(client.call(name, ...args), /NOPERM/, command);
      }
    });
  }

  it("lets no application forge what Sentinels tell one another", async () => {
    await assert.rejects(server.as("default").publish("__sentinel__:hello", "x"), /NOPERM/);
    await assert.rejects(
      server.as("default").call("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", "127.0.0.1", 1, 99, "*"),
      /NOPERM/,
    );
  });

  it("lets a client with Sentinel support find the master and listen", async () => {
    const client = server.as("default");
    assert.deepEqual(await client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"), [
      "127.0.0.1",
      "1",
    ]);
    await client.call("SENTINEL", "SENTINELS", "mymaster");
    await client.call("CLIENT", "SETNAME", "me");
    await client.psubscribe("*");
  });
});
