import assert from "node:assert/strict";
import { encodeReply } from "../../../../proxy/resp/encode-reply.ts";
import { type Authenticate, ClientSession } from "../../../../proxy/sentinel-api/client-session.ts";
import { ClientState } from "../../../../proxy/sentinel-api/client-state.ts";
import { command, exampleFacts, exampleView } from "./example-view.ts";

const noAuth = "-NOAUTH Authentication required.\r\n";
const wrongPassword = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

/** A client that types: each line gives the bytes of its answer. */
class Typist {
  readonly state = new ClientState(5, "127.0.0.1:4000", "127.0.0.1:26379", 1000);
  readonly session: ClientSession;
  closed = false;

  constructor(authenticate?: Authenticate) {
    const clients = () => [this.state];
    const now = () => 61_000;
    const report = assert.ifError;
    const facts = () => exampleFacts;
    this.session = new ClientSession(
      { view: exampleView, facts, authenticate, clients, now, report },
      this.state,
    );
  }

  async send(args: readonly Buffer[]): Promise<string> {
    const { replies, close = false } = await this.session.handle(args);
    this.closed ||= close;
    return this.#encode(replies);
  }

  type(line: string): Promise<string> {
    return this.send(command(line));
  }

  messages(channel: string, message: string): string {
    return this.#encode(this.session.messages(channel, message));
  }

  #encode(
    replies: Parameters<typeof encodeReply>[0][] | readonly Parameters<typeof encodeReply>[0][],
  ): string {
    return replies.map((reply) => encodeReply(reply, this.state.protocol).toString()).join("");
  }
}

describe("ClientSession", () => {
  describe("commands", () => {
    const table: [line: string, resp2: string, resp3?: string][] = [
      ["PING", "+PONG\r\n"],
      ["ping hello", "$5\r\nhello\r\n"],
      ["PING a b", "-ERR wrong number of arguments for 'ping' command\r\n"],
      ["ECHO x", "$1\r\nx\r\n"],
      ["ROLE", "*2\r\n$8\r\nsentinel\r\n*1\r\n$8\r\nmymaster\r\n"],
      ["ROLE x", "-ERR wrong number of arguments for 'role' command\r\n"],
      ["RESET x", "-ERR wrong number of arguments for 'reset' command\r\n"],
      ["INFO nothing", "$0\r\n\r\n"],
      ["CLIENT ID", ":5\r\n"],
      ["CLIENT GETNAME", "$-1\r\n", "_\r\n"],
      ["CLIENT GETREDIR", ":-1\r\n"],
      ["CLIENT NO-EVICT on", "+OK\r\n"],
      ["CLIENT NO-EVICT maybe", "-ERR syntax error\r\n"],
      ["CLIENT NO-TOUCH OFF", "+OK\r\n"],
      ["CLIENT SETINFO LIB-NAME ioredis", "+OK\r\n"],
      ["CLIENT SETINFO lib-ver 1.0", "+OK\r\n"],
      ["CLIENT SETINFO color red", "-ERR Unrecognized option 'color'\r\n"],
      ["CLIENT LIST ID 9999", "$0\r\n\r\n"],
      ["CLIENT LIST NOISE", "-ERR syntax error\r\n"],
      [
        "CLIENT MAINT_NOTIFICATIONS ON",
        "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.\r\n",
      ],
      ["CLIENT", "-ERR wrong number of arguments for 'client' command\r\n"],
      ["ACL WHOAMI", "$7\r\ndefault\r\n"],
      ["COMMAND COUNT", ":18\r\n"],
      ["COMMAND INFO nothing", "*1\r\n$-1\r\n", "*1\r\n_\r\n"],
      ["COMMAND DOCS nothing", "*0\r\n", "%0\r\n"],
      [
        "COMMAND INFO echo",
        "*1\r\n*10\r\n$4\r\necho\r\n:2\r\n*1\r\n+fast\r\n:0\r\n:0\r\n:0\r\n*0\r\n*0\r\n*0\r\n*0\r\n",
      ],
      ["PUBLISH a b", "-ERR Only HELLO messages are accepted by Sentinel instances.\r\n"],
      ["GET key", "-ERR unknown command 'GET', with args beginning with: 'key' \r\n"],
      ["constructor", "-ERR unknown command 'constructor', with args beginning with: \r\n"],
      ["SENTINEL MYID", `$40\r\n${"b".repeat(40)}\r\n`],
      ["UNSUBSCRIBE", "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n", ">3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n"],
      ["HELLO x", "-ERR Protocol version is not an integer or out of range\r\n"],
      ["HELLO 4", "-NOPROTO unsupported protocol version\r\n"],
      ["HELLO 2 FOO", "-ERR Syntax error in HELLO option 'FOO'\r\n"],
      ["HELLO 2 AUTH x", "-ERR Syntax error in HELLO option 'AUTH'\r\n"],
      ["HELLO 2 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'\r\n"],
    ];
    for (const [line, resp2, resp3 = resp2] of table) {
      it(`answers ${line}`, async () => {
        assert.equal(await new Typist().type(line), resp2);
        const three = new Typist();
        await three.type("HELLO 3");
        assert.equal(await three.type(line), resp3);
      });
    }

    it("greets in the protocol that was asked for", async () => {
      const client = new Typist();
      const fields = (protocol: number): string =>
        `$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:${protocol}\r\n$2\r\nid\r\n:5\r\n$4\r\nmode\r\n$8\r\nsentinel\r\n$7\r\nmodules\r\n*0\r\n`;
      assert.equal(await client.type("HELLO"), `*12\r\n${fields(2)}`);
      assert.equal(await client.type("HELLO 3 SETNAME me"), `%6\r\n${fields(3)}`);
      assert.equal(await client.type("HELLO"), `%6\r\n${fields(3)}`);
      assert.equal(await client.type("CLIENT GETNAME"), "$2\r\nme\r\n");
      assert.equal(await client.type("HELLO 2"), `*12\r\n${fields(2)}`);
    });

    it("takes a name of printable characters only", async () => {
      const client = new Typist();
      const bad = "-ERR Client names cannot contain spaces, newlines or special characters.\r\n";
      for (const name of ["a b", "a\n", "a\0", "é"]) {
        const args = [...command("CLIENT SETNAME"), Buffer.from(name)];
        assert.equal(await client.send(args), bad);
        assert.equal(await client.send([...command("HELLO 3 SETNAME"), Buffer.from(name)]), bad);
      }
      assert.equal(await client.type("CLIENT SETNAME x"), "+OK\r\n");
      assert.equal(await client.send([...command("CLIENT SETNAME"), Buffer.alloc(0)]), "+OK\r\n");
      assert.equal(await client.type("CLIENT GETNAME"), "$-1\r\n");
    });

    it("describes its clients as Redis does", async () => {
      const client = new Typist();
      await client.type("CLIENT SETNAME me");
      await client.type("CLIENT SETINFO LIB-NAME lib");
      const line =
        "id=5 addr=127.0.0.1:4000 laddr=127.0.0.1:26379 name=me age=60 idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 cmd=client|info user=default redir=-1 resp=2 lib-name=lib lib-ver=\n";
      assert.equal(await client.type("CLIENT INFO"), `$${line.length}\r\n${line}\r\n`);
      const listed = line.replace("client|info", "client|list");
      assert.equal(await client.type("CLIENT LIST TYPE normal"), `$${listed.length}\r\n${listed}\r\n`);
      assert.equal(await client.type("CLIENT LIST ID 4 5"), `$${listed.length}\r\n${listed}\r\n`);
      assert.equal(await client.type("CLIENT LIST TYPE pubsub"), "$0\r\n\r\n");
    });

    for (const line of [
      "CLIENT KILL 1",
      "CLIENT PAUSE 1",
      "CLIENT REPLY OFF",
      "CLIENT UNBLOCK 1",
      "SHUTDOWN",
    ]) {
      it(`refuses ${line}`, async () => assert.match(await new Typist().type(line), /^-NOPERM the proxy's/));
    }

    it("becomes as new by RESET, and ends by QUIT", async () => {
      const client = new Typist();
      await client.type("HELLO 3 SETNAME me");
      await client.type("SUBSCRIBE a");
      assert.equal(await client.type("RESET"), "+RESET\r\n");
      assert.equal(await client.type("CLIENT GETNAME"), "$-1\r\n");
      assert.equal(client.messages("a", "m"), "");
      assert.equal(client.closed, false);
      assert.equal(await client.type("QUIT"), "+OK\r\n");
      assert.equal(client.closed, true);
    });
  });

  describe("authentication", () => {
    const asked: string[] = [];
    const authenticate: Authenticate = async (user, password) => {
      asked.push(`${user}:${password}`);
      if (user === "later") return "LOADING nobody can be asked";
      return user === "default" && password === "secret";
    };
    beforeEach(() => asked.splice(0));

    it("is required of everything but AUTH, HELLO, RESET and QUIT", async () => {
      const client = new Typist(authenticate);
      for (const line of [
        "PING",
        "ROLE",
        "SENTINEL MASTERS",
        "SENTINEL FAILOVER mymaster",
        "SUBSCRIBE a",
        "INFO",
      ]) {
        assert.equal(await client.type(line), noAuth);
      }
      assert.equal(
        await client.type("HELLO 3"),
        "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time\r\n",
      );
      assert.equal(client.state.protocol, 2);
      assert.equal(await client.type("RESET"), "+RESET\r\n");
      assert.equal(await client.type("QUIT"), "+OK\r\n");
    });

    for (const line of ["AUTH secret", "AUTH default secret"]) {
      it(`is given by ${line}, and taken by RESET`, async () => {
        const client = new Typist(authenticate);
        assert.equal(await client.type(line), "+OK\r\n");
        assert.deepEqual(asked, ["default:secret"]);
        assert.equal(await client.type("PING"), "+PONG\r\n");
        await client.type("RESET");
        assert.equal(await client.type("PING"), noAuth);
      });
    }

    it("is given by HELLO, with protocol and name", async () => {
      const client = new Typist(authenticate);
      assert.match(await client.type("HELLO 3 AUTH default secret SETNAME me"), /^%6\r\n/);
      assert.equal(await client.type("CLIENT GETNAME"), "$2\r\nme\r\n");
    });

    it("is refused with a wrong password, which changes nothing", async () => {
      const client = new Typist(authenticate);
      assert.equal(await client.type("AUTH wrong"), wrongPassword);
      assert.equal(await client.type("AUTH other secret"), wrongPassword);
      assert.equal(await client.type("HELLO 3 AUTH default wrong SETNAME me"), wrongPassword);
      assert.equal(client.state.protocol, 2);
      assert.equal(await client.type("PING"), noAuth);
      await client.type("AUTH secret");
      assert.equal(await client.type("AUTH wrong"), wrongPassword);
      assert.equal(await client.type("PING"), "+PONG\r\n");
    });

    it("passes on why it could not be checked", async () => {
      const client = new Typist(authenticate);
      assert.equal(await client.type("AUTH later x"), "-LOADING nobody can be asked\r\n");
      assert.equal(await client.type("AUTH a b c"), "-ERR syntax error\r\n");
      assert.equal(await client.type("PING"), noAuth);
    });

    it("isn't needed where there is no password", async () => {
      const client = new Typist();
      assert.equal(
        await client.type("AUTH x"),
        "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n",
      );
      assert.equal(await client.type("AUTH default x"), "+OK\r\n");
      assert.equal(await client.type("AUTH other x"), wrongPassword);
    });
  });

  describe("Pub/Sub", () => {
    it("in RESP2 allows only what a subscriber may send", async () => {
      const client = new Typist();
      assert.equal(await client.type("SUBSCRIBE a"), "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
      assert.equal(
        await client.type("SUBSCRIBE a b"),
        "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n",
      );
      assert.equal(await client.type("PSUBSCRIBE c*"), "*3\r\n$10\r\npsubscribe\r\n$2\r\nc*\r\n:3\r\n");
      assert.equal(await client.type("PING"), "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
      assert.equal(await client.type("PING x"), "*2\r\n$4\r\npong\r\n$1\r\nx\r\n");
      for (const [line, name] of [
        ["ROLE", "role"],
        ["SENTINEL MYID", "sentinel|myid"],
        ["HELLO 3", "hello"],
      ] as const) {
        assert.equal(
          await client.type(line),
          `-ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n`,
        );
      }
      assert.match(await client.type("FOO"), /^-ERR unknown command 'FOO'/);
      assert.equal(await client.type("UNSUBSCRIBE a"), "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:2\r\n");
      assert.equal(await client.type("UNSUBSCRIBE"), "*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1\r\n");
      assert.equal(await client.type("PUNSUBSCRIBE"), "*3\r\n$12\r\npunsubscribe\r\n$2\r\nc*\r\n:0\r\n");
      assert.match(await client.type("ROLE"), /^\*2\r\n\$8\r\nsentinel/);
    });

    it("in RESP3 allows every command, and pushes", async () => {
      const client = new Typist();
      await client.type("HELLO 3");
      assert.equal(await client.type("PSUBSCRIBE *"), ">3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:1\r\n");
      assert.equal(await client.type("PING"), "+PONG\r\n");
      assert.equal(await client.type("SENTINEL PENDING-SCRIPTS"), "*0\r\n");
    });

    it("gives a message by name and by every pattern that fits", async () => {
      const client = new Typist();
      await client.type("SUBSCRIBE +switch-master other");
      await client.type("PSUBSCRIBE * [-+]s* switch-master");
      const pattern = (name: string): string =>
        `*4\r\n$8\r\npmessage\r\n$${name.length}\r\n${name}\r\n$14\r\n+switch-master\r\n$1\r\nm\r\n`;
      assert.equal(
        client.messages("+switch-master", "m"),
        `*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$1\r\nm\r\n${pattern("*")}${pattern("[-+]s*")}`,
      );
      const three = new Typist();
      await three.type("HELLO 3");
      await three.type("SUBSCRIBE +switch-master");
      assert.match(three.messages("+switch-master", "m"), /^>3\r\n\$7\r\nmessage\r\n/);
    });

    it("keeps names byte for byte", async () => {
      const client = new Typist();
      const name = Buffer.from([0xff, 0x00, 0x0d, 0x0a]);
      await client.send([Buffer.from("SUBSCRIBE"), name]);
      const { replies } = await client.session.handle([Buffer.from("UNSUBSCRIBE")]);
      const [confirmed] = replies.map((reply) => encodeReply(reply, 2));
      assert.ok(confirmed?.includes(name));
    });

    it("is bounded for each client, in names and in bytes", async () => {
      const tooMany = "-ERR too many subscriptions for one client\r\n";
      const many = new Typist();
      const names = Array.from({ length: 1000 }, (_, i) => `c${i}`).join(" ");
      assert.match(await many.type(`SUBSCRIBE ${names}`), /:1000\r\n$/);
      assert.equal(await many.type("SUBSCRIBE one-more"), tooMany);
      const long = new Typist();
      assert.match(await long.type(`PSUBSCRIBE ${"x".repeat(60_000)}`), /:1\r\n$/);
      assert.equal(await long.type(`SUBSCRIBE ${"y".repeat(6000)}`), tooMany);
      await long.type("PUNSUBSCRIBE");
      assert.match(await long.type(`SUBSCRIBE ${"y".repeat(6000)}`), /:1\r\n$/);
    });
  });
});
