import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { LocalTopology } from "../../cli/local/local-topology.ts";
import { askSentinel, countPromotable } from "../../quorum/ask-sentinel.ts";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { type Address, formatAddress, parseAddress } from "../../runtime/address.ts";
import { waitUntil } from "./wait-until.ts";

/** A part of the topology and where it is reached. */
export interface NamedPart {
  readonly name: string;
  readonly address: Address;
}

/** What faults do to a local topology, beyond signals and restarts. */
export class ClusterControl {
  readonly instances: readonly NamedPart[];
  readonly sentinels: readonly NamedPart[];
  readonly proxies: readonly NamedPart[];
  readonly #topology: LocalTopology;
  readonly #user: string;
  readonly #connections = new Map<string, ControlConnection>();

  private constructor(topology: LocalTopology, parts: readonly NamedPart[], user: string) {
    this.#topology = topology;
    this.#user = user;
    const named = (prefix: string): NamedPart[] => parts.filter(({ name }) => name.startsWith(prefix));
    this.instances = named("redis-instance-");
    this.sentinels = parts.filter(({ name }) => /^redis-sentinel-\d+$/.test(name));
    this.proxies = named("redis-sentinel-proxy");
  }

  /** @param topology one that runs. @param user as whom its servers are told what to do. */
  static async of(topology: LocalTopology, user = "supervisor"): Promise<ClusterControl> {
    const { parts } = await topology.status();
    return new ClusterControl(
      topology,
      parts.map(({ name, address }) => ({ name, address: parseAddress(address) })),
      user,
    );
  }

  /** The master that the Sentinels agree on and that says so itself. @throws {Error} when there is none for 5 s. */
  master(): Promise<NamedPart> {
    // A single look fails when a Sentinel is asked in the moment in which it drops its clients.
    return waitUntil(
      "there is a master",
      async () => {
        const { master } = await this.#topology.status();
        return this.instances.find(({ address }) => formatAddress(address) === master);
      },
      5000,
    );
  }

  /** Sends one command to a Redis or Sentinel itself. */
  call(part: NamedPart, command: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#connect(part).call(command, ...args);
  }

  #connect(part: NamedPart): ControlConnection {
    let connection = this.#connections.get(part.name);
    if (connection === undefined) {
      const { username, password } = this.#topology.loginOf(this.#user);
      connection = new ControlConnection({
        address: part.address,
        username,
        tls: this.#topology.serverTls,
        password: () => password,
        timeoutMs: 1000,
      });
      this.#connections.set(part.name, connection);
    }
    return connection;
  }

  /** The process id of an instance's redis-server; its entrypoint is another process. */
  serverPid(instance: NamedPart): Promise<number> {
    // The connection may have been dropped at a change of its role, and a busy machine may answer late.
    return waitUntil(
      `${instance.name} tells its process`,
      async () => {
        const info = String(await this.call(instance, "INFO", "server"));
        const pid = Number(/^process_id:(\d+)/m.exec(info)?.[1]);
        return pid > 1 ? pid : undefined;
      },
      5000,
    );
  }

  /** Kills a part with all its processes, at once. */
  async kill(part: NamedPart): Promise<void> {
    this.#topology.signal(part.name, "SIGKILL");
    await this.waitForEnd(part);
  }

  async waitForEnd({ name }: NamedPart): Promise<void> {
    await waitUntil(`${name} ends`, () => (this.#topology.isRunning(name) ? undefined : true), 10_000);
  }

  isRunning({ name }: NamedPart): boolean {
    return this.#topology.isRunning(name);
  }

  /** Whether it answers and agrees with the others; undefined: not yet. */
  async isHealthy({ name }: NamedPart): Promise<true | undefined> {
    const { parts } = await this.#topology.status();
    return parts.some((part) => part.name === name && part.healthy) || undefined;
  }

  /** How many other Sentinels a Sentinel knows. */
  async countSentinels(sentinel: NamedPart): Promise<number> {
    const known = await this.call(
      sentinel,
      "SENTINEL",
      "SENTINELS",
      this.#topology.settings.sentinel.masterName,
    );
    return Array.isArray(known) ? known.length : 0;
  }

  stateDirectory({ name }: NamedPart): string {
    return this.#topology.stateDirectory(name);
  }

  /** Empties the volume of a part that has ended. The directory stays: it may be a mount. */
  wipe(part: NamedPart): void {
    const directory = this.stateDirectory(part);
    for (const entry of readdirSync(directory))
      rmSync(join(directory, entry), { recursive: true, force: true });
  }

  async start({ name }: NamedPart): Promise<void> {
    await this.#topology.restart(name);
  }

  /**
   * What isn't as it should be behind the scenes, a line each: Sentinels that still lead a failover, whose master is announced a second or more
   * before it ends; and Sentinels that couldn't promote every replica, since some aren't in sync yet.
   */
  async #unsettled(): Promise<string[]> {
    const name = this.#topology.settings.sentinel.masterName;
    const lines = await Promise.all(
      this.sentinels.map(async (sentinel) => {
        const connection = this.#connect(sentinel);
        const [{ flags }, promotable] = await Promise.all([
          askSentinel(connection, name),
          countPromotable(connection, name),
        ]);
        if (flags.includes("failover_in_progress")) return `${sentinel.name}: still at work on a failover`;
        return promotable < this.instances.length - 1
          ? `${sentinel.name}: could promote ${promotable} replicas`
          : undefined;
      }),
    );
    return lines.filter((line) => line !== undefined);
  }

  /** Starts every part that has ended, and waits until all are well, every replica could be promoted, and no failover is under way. */
  async recover(withinMs: number): Promise<void> {
    const started: string[] = [];
    for (const name of this.#topology.names) {
      if (this.#topology.isRunning(name)) continue;
      started.push(name);
      await this.#topology.restart(name);
    }
    await waitUntil(
      `all parts are well (started again: ${started.join(", ") || "none"})`,
      async () => {
        const { parts } = await this.#topology.status();
        const ill = parts.filter(({ healthy }) => !healthy);
        if (ill.length === 0) {
          const unsettled = await this.#unsettled();
          if (unsettled.length === 0) return true;
          throw new Error(unsettled.join("; "));
        }
        // Whether it hangs, has ended, or was never started again are three different faults.
        throw new Error(
          ill
            .map(
              ({ name, state, pid }) =>
                `${name} (${pid === undefined ? "no process" : `process ${pid}`}): ${state}`,
            )
            .join("; "),
        );
      },
      withinMs,
    );
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
  }
}
