import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { type ApplicationUser, renderAclFiles } from "../../runtime/access/acl-files.ts";
import { hashPassword } from "../../runtime/access/acl-user.ts";
import { derivePassword } from "../../runtime/access/passwords.ts";
import { freePort, RedisProcess, temporaryDirectory } from "./redis-process.ts";

const seed = "seed of a test";
/** May do everything: only the test has it. */
const judge = { name: "judge", password: "judge" };

/** A real redis-server, or Sentinel, with the users of a stack, and one more who judges them. */
export class AclServer {
  readonly port: number;
  /** Connected as the user who may do everything. */
  readonly judge: Redis;
  readonly #process: RedisProcess;
  readonly #directory: ReturnType<typeof temporaryDirectory>;
  readonly #clients: Redis[] = [];

  private constructor(process: RedisProcess, directory: ReturnType<typeof temporaryDirectory>) {
    this.#process = process;
    this.#directory = directory;
    this.port = process.port;
    this.judge = process.client;
  }

  /**
   * @param kind whose users; `lines` of the configuration file come behind the others.
   * @param allowedCommands as `proxy:allowCommands` names them.
   * @param quorum as with `redis:durability quorum`.
   */
  static async start(
    kind: "redis" | "sentinel",
    users: readonly ApplicationUser[],
    lines: readonly string[] = [],
    allowedCommands: readonly string[] = [],
    quorum = false,
  ): Promise<AclServer> {
    const directory = temporaryDirectory();
    const port = await freePort();
    const aclFile = join(directory.path, "users.acl");
    const rendered = renderAclFiles({ users, allowedCommands, quorum, clientsAskSentinels: true }, [seed])[
      kind
    ];
    writeFileSync(aclFile, `${rendered}user judge on #${hashPassword(judge.password)} ~* &* +@all\n`);
    const conf = join(directory.path, "server.conf");
    const own = ["bind 127.0.0.1", `port ${port}`, `dir ${directory.path}`, `aclfile ${aclFile}`];
    writeFileSync(conf, `${[...own, ...lines].join("\n")}\n`);
    const process = await RedisProcess.start(port, kind === "redis" ? [conf] : [conf, "--sentinel"], {
      username: judge.name,
      password: judge.password,
    });
    return new AclServer(process, directory);
  }

  /** A connection as one of the users, or another one of the judge's. */
  as(user: string): Redis {
    const password = user === judge.name ? judge.password : derivePassword(seed, user);
    const client = this.judge.duplicate({ username: user, password });
    client.on("error", () => undefined);
    this.#clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await this.#process.kill();
    this.#directory.remove();
  }
}
