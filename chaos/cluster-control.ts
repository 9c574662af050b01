import type { LocalTopology } from "../local/local-topology.ts";
import { type Address, formatAddress, parseAddress } from "../quorum/address.ts";
import { ControlConnection } from "../quorum/control-connection.ts";
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
  readonly proxy: NamedPart;
  readonly #topology: LocalTopology;
  readonly #connections = new Map<string, ControlConnection>();

  private constructor(topology: LocalTopology, parts: readonly NamedPart[]) {
    this.#topology = topology;
    const named = (prefix: string): NamedPart[] => parts.filter(({ name }) => name.startsWith(prefix));
    this.instances = named("redis-instance-");
    this.sentinels = named("redis-sentinel-").filter(({ name }) => /\d$/.test(name));
    const [proxy] = named("redis-sentinel-proxy");
    if (proxy === undefined) throw new Error("the topology has no proxy");
    this.proxy = proxy;
  }

  /** @param topology one that runs. */
  static async of(topology: LocalTopology): Promise<ClusterControl> {
    const { parts } = await topology.status();
    return new ClusterControl(
      topology,
      parts.map(({ name, address }) => ({ name, address: parseAddress(address) })),
    );
  }

  /** The master that the Sentinels agree on and that says so itself. @throws {Error} when there is none. */
  async master(): Promise<NamedPart> {
    const { master } = await this.#topology.status();
    const part = this.instances.find(({ address }) => formatAddress(address) === master);
    if (part === undefined) throw new Error("there is no master");
    return part;
  }

  /** Sends one command to a Redis or Sentinel itself. */
  call(part: NamedPart, command: string, ...args: (string | number)[]): Promise<unknown> {
    let connection = this.#connections.get(part.name);
    if (connection === undefined) {
      const { password } = this.#topology;
      connection = new ControlConnection({
        address: part.address,
        password: () => password,
        timeoutMs: 1000,
      });
      this.#connections.set(part.name, connection);
    }
    return connection.call(command, ...args);
  }

  /** The process id of an instance's redis-server; its entrypoint is another process. */
  async serverPid(instance: NamedPart): Promise<number> {
    const info = String(await this.call(instance, "INFO", "server"));
    const pid = Number(/^process_id:(\d+)/m.exec(info)?.[1]);
    if (!(pid > 1)) throw new Error(`${instance.name} doesn't tell its process`);
    return pid;
  }

  /** Kills a part with all its processes, at once. */
  async kill(part: NamedPart): Promise<void> {
    this.#topology.signal(part.name, "SIGKILL");
    await this.waitForEnd(part);
  }

  async waitForEnd({ name }: NamedPart): Promise<void> {
    await waitUntil(`${name} ends`, () => (this.#topology.isRunning(name) ? undefined : true), 10_000);
  }

  async start({ name }: NamedPart): Promise<void> {
    await this.#topology.restart(name);
  }

  /** Starts every part that has ended, and waits until all are well. */
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
        if (ill.length === 0) return true;
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
