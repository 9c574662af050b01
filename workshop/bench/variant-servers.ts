import { join } from "node:path";
import { writeLocalCertificates } from "../../cli/local/local-certificates.ts";
import { readLocalPassword, writeLocalSecrets } from "../../cli/local/local-secrets.ts";
import { BenchProcesses, masterName, proxyArguments, startServers } from "./bench-processes.ts";
import type { Candidate } from "./comparison.ts";

/** Ways to deploy the proxy: plain; with the users that a stack has; those and TLS for clients; plain with two workers. */
const deployments = ["plain", "users", "tls", "workers=2"] as const;
type Deployment = (typeof deployments)[number];

/**
 * What is compared. `unrestricted` are clients of the same proxy and Redis as `users`, as a user who may do everything: for this one
 * Redis looks at no rule, key or channel. Two processes of the same program differ by more than that costs.
 */
export const variants = ["plain", "unrestricted", "users", "tls", "workers=2"] as const;
export type Variant = (typeof variants)[number];

const unrestrictedUser = "unrestricted";

/** Two Redis, one of them with a stack's users, a Sentinel for each, and a proxy for each deployment. */
export class VariantServers {
  readonly #basePort: number;
  readonly #processes = new BenchProcesses();

  private constructor(basePort: number) {
    this.#basePort = basePort;
  }

  /** @throws {UserError} when a program is missing or a port is taken; nothing is left running then. */
  static async start(basePort: number): Promise<VariantServers> {
    return startServers({
      programs: ["redis-server", "redis-benchmark"],
      basePort,
      ports: 4 + 2 * deployments.length,
      make: () => new VariantServers(basePort),
      begin: (servers) => servers.#startAll(),
    });
  }

  /** All of them, with what a client needs. */
  get candidates(): Candidate<Variant>[] {
    // Thrown away with the servers; redis-benchmark takes a password in no other way.
    const login = (user: string): string[] => ["--user", user, "-a", this.#password(user)];
    const encryption = ["--tls", "--cacert", join(this.#certificates, "proxy", "ca.crt")];
    const args: Partial<Record<Variant, readonly string[]>> = {
      unrestricted: login(unrestrictedUser),
      users: login("default"),
      tls: [...login("default"), ...encryption],
    };
    return variants.map((name) => ({
      name,
      port: this.#portOf(name === "unrestricted" ? "users" : name),
      args: args[name] ?? [],
    }));
  }

  async stop(): Promise<void> {
    await this.#processes.stop();
  }

  #portOf(deployment: Deployment): number {
    return this.#basePort + 4 + 2 * deployments.indexOf(deployment);
  }

  get #secrets(): string {
    return join(this.#processes.directory, "secrets");
  }

  #secret(name: string): string {
    return join(this.#secrets, name);
  }

  #password(user: string): string {
    return readLocalPassword(this.#secrets, user);
  }

  get #certificates(): string {
    return join(this.#processes.directory, "tls");
  }

  async #startAll(): Promise<void> {
    const { directory } = this.#processes;
    const users = [{ name: "default" }];
    const access = { users, generation: 1, clientsAskSentinels: false, tester: unrestrictedUser };
    writeLocalSecrets(this.#secrets, access);
    await writeLocalCertificates(this.#certificates, { generation: 1, hosts: [], hostnames: [] });
    const plain = { redis: this.#basePort, sentinel: this.#basePort + 1 };
    const guarded = { redis: this.#basePort + 2, sentinel: this.#basePort + 3 };
    await this.#redis("plain-redis", plain.redis, []);
    await this.#processes.sentinel("plain-sentinel", plain.sentinel, plain.redis);
    await this.#redis("guarded-redis", guarded.redis, [`aclfile ${this.#secret("redis.acl")}`]);
    await this.#processes.sentinel("guarded-sentinel", guarded.sentinel, guarded.redis, [
      `aclfile ${this.#secret("sentinel.acl")}`,
      `sentinel auth-user ${masterName} sentinel`,
      `sentinel auth-pass ${masterName} ${this.#password("sentinel")}`,
    ]);
    const program = proxyArguments(directory);
    const login = { REDIS_USERNAME: "proxy", REDIS_PASSWORD_FILE: this.#secret("proxy") };
    const environments: Readonly<Record<Deployment, Record<string, string>>> = {
      plain: {},
      users: login,
      tls: { ...login, PROXY_TLS_DIR: join(this.#certificates, "proxy") },
      "workers=2": { PROXY_WORKERS: "2" },
    };
    for (const deployment of deployments) {
      const port = this.#portOf(deployment);
      const { sentinel } = deployment === "users" || deployment === "tls" ? guarded : plain;
      this.#processes.proxy(deployment, program, { port, sentinel }, environments[deployment]);
      await this.#processes.ready(deployment, port + 1);
    }
  }

  async #redis(name: string, port: number, lines: readonly string[]): Promise<void> {
    const file = this.#processes.configure(name, [`port ${port}`, 'save ""', ...lines]);
    this.#processes.run(name, "redis-server", [file]);
    await this.#processes.answers(name, port);
  }
}
