import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { ClusterControl, type NamedPart } from "../../workshop/chaos/cluster-control.ts";
import { observer } from "../../workshop/chaos/observer.ts";
import { eventually } from "./eventually.ts";
import { freeBasePort } from "./free-ports.ts";
import { temporaryDirectory } from "./redis-process.ts";

/** What a busy machine may take for what takes seconds otherwise. */
const patienceMs = 240_000;

/** A topology of this machine, with a client at its endpoint and somebody who breaks it. */
export class RunningTopology {
  readonly local: LocalTopology;
  readonly cluster: ClusterControl;
  readonly client: Redis;
  readonly #directory: ReturnType<typeof temporaryDirectory>;

  get directory(): string {
    return this.#directory.path;
  }

  private constructor(
    local: LocalTopology,
    cluster: ClusterControl,
    directory: ReturnType<typeof temporaryDirectory>,
  ) {
    this.local = local;
    this.cluster = cluster;
    this.#directory = directory;
    const { proxyHost, proxyPort } = local.outputs;
    this.client = new Redis({
      ...{ host: String(proxyHost), port: Number(proxyPort) },
      ...{ password: local.password, protocol: 3 as const },
    });
    this.client.on("error", () => undefined);
  }

  /** @param configuration `namespace:key` → text. */
  static async start(
    configuration: Readonly<Record<string, string>>,
    { host }: { readonly host?: string } = {},
  ): Promise<RunningTopology> {
    const directory = temporaryDirectory();
    const basePort = await freeBasePort();
    const local = await LocalTopology.start({
      ...{ directory: directory.path, basePort, tester: observer, configuration },
      readyWithinMs: patienceMs,
      ...(host === undefined ? {} : { host }),
    });
    return new RunningTopology(local, await ClusterControl.of(local, observer), directory);
  }

  /** Kills the master with its supervisor, and waits for the next one. */
  async failOver(): Promise<void> {
    const master = await this.cluster.master();
    await this.cluster.kill(master);
    await this.isOver(master);
  }

  /** Waits until another one than this is the master. */
  async isOver(before: NamedPart): Promise<void> {
    await eventually(async () => assert.notEqual((await this.cluster.master()).name, before.name), {
      withinMs: patienceMs,
    });
  }

  /** Starts what has ended, and waits until all is well. */
  async recover(): Promise<void> {
    await this.cluster.recover(patienceMs);
  }

  async stop(): Promise<void> {
    this.client.disconnect();
    this.cluster.close();
    await this.local.stop();
    this.#directory.remove();
  }
}
