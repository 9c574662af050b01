import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import {
  endpointPart,
  localPortCount,
  localSite,
  type PartKind,
  type Site,
} from "../../components/topology/site.ts";
import { describeTopology, type Topology } from "../../components/topology/topology.ts";
import type { Workload } from "../../components/topology/workload.ts";
import { type Address, formatAddress, parseAddress } from "../../runtime/address.ts";
import { findEngineProgram } from "../../runtime/engine.ts";
import { portsInUse } from "../../runtime/ports-in-use.ts";
import { ProcessTable } from "../../runtime/process-table.ts";
import { TlsFiles, tlsFileNames } from "../../runtime/tls-files.ts";
import { UserError } from "../../runtime/user-error.ts";
import type { Settings } from "../../settings/resolve-settings.ts";
import { warningsOf } from "../../settings/warnings.ts";
import { writeLocalCertificates } from "./local-certificates.ts";
import { prepareDirectory, readRecord } from "./local-directory.ts";
import { describeProxies, resolveLocally } from "./local-parts.ts";
import { readLocalPassword, writeLocalSecrets } from "./local-secrets.ts";
import { askStatus, type TopologyStatus } from "./local-status.ts";
import type { PartNetwork } from "./part-network.ts";
import { refuseEphemeralPorts } from "./refuse-ephemeral-ports.ts";

export interface LocalOptions {
  readonly directory: string;
  /** First of the ports; the proxy listens on it. */
  readonly basePort: number;
  /** The address of all parts. Default: 127.0.0.1. */
  readonly host?: string;
  /** Throw away the data of an earlier run. */
  readonly fresh?: boolean;
  /** Stack configuration, `namespace:key` → text, as `pulumi config set` takes it. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** Name of a user who may do everything on every Redis and Sentinel; only for whoever makes faults. */
  readonly tester?: string;
  readonly onProgress?: (line: string) => void;
  /** How long the parts have to become healthy, ms. Default 60 s: on a busy machine it takes over ten. */
  readonly readyWithinMs?: number;
  /** Gives the start up: everything is stopped again. */
  readonly signal?: AbortSignal;
  /** Proxies, each an endpoint of its own. Default 1. */
  readonly proxies?: number;
  /** Gives every part a host of its own; must have been built for `partsOf` the configuration. Default: the loopback. */
  readonly network?: PartNetwork;
  /** Makes each Redis volume a disk of its own, in memory, of so many bytes; only for a process with mounts of its own. */
  readonly volumeBytes?: number;
}

const usuallyReadyWithinMs = 60_000;

/** One part as somebody who looks at it needs to know it. */
export interface LocalPart {
  readonly name: string;
  readonly kind: PartKind;
  readonly address: Address;
  /** Of its health and metrics; a Sentinel has none. */
  readonly adminUrl: string;
  /** Where it keeps what outlives its process. */
  readonly stateDirectory: string;
  readonly logFile: string;
}

/** The topology of a stack as processes of this machine: real redis-servers, real Sentinels, the real proxy. */
export class LocalTopology {
  readonly settings: Settings;
  readonly #topology: Topology;
  readonly #proxies: readonly Workload[];
  readonly #site: Site;
  readonly #table: ProcessTable;
  readonly #network: PartNetwork | undefined;
  readonly #directory: string;
  readonly #options: LocalOptions;

  private constructor(options: LocalOptions) {
    const { directory, basePort, host, configuration = {}, proxies = 1, network } = options;
    this.#options = options;
    this.settings = resolveLocally(configuration);
    this.#network = network;
    this.#directory = directory;
    this.#site = localSite({
      basePort,
      directory,
      ...(host === undefined ? {} : { hostOf: () => host }),
      ...(network === undefined ? {} : { hostOf: (part) => network.hostOf(part) }),
    });
    this.#topology = describeTopology(this.settings, this.#site);
    this.#proxies = describeProxies(this.#topology, this.settings, this.#site, proxies);
    this.#table = new ProcessTable(join(directory, "processes.json"), join(directory, "logs"));
  }

  /** What runs in a directory; undefined when nothing ever did. */
  static open(directory: string): LocalTopology | undefined {
    const record = readRecord(directory);
    return record && new LocalTopology({ directory, ...record });
  }

  /**
   * Starts all parts and waits until they form one healthy cluster.
   *
   * @throws {UserError} before anything is started, or after everything was stopped again.
   */
  static async start(options: LocalOptions): Promise<LocalTopology> {
    const { directory, basePort, fresh = false, configuration = {}, onProgress = () => undefined } = options;
    const earlier = fresh ? undefined : readRecord(directory);
    if (!(basePort >= 1 && basePort + localPortCount <= 65_536)) {
      throw new UserError(
        `The first port is ${basePort}: use one from 1 to ${65_536 - localPortCount} (--port).`,
      );
    }
    const local = new LocalTopology(options);
    // Whatever its settings are: it may have more parts than this one.
    if (local.#table.running.length > 0) {
      throw new UserError(`A local redis-ha runs in ${directory} already: redis-ha local down ends it.`);
    }
    if (earlier !== undefined && earlier.basePort !== basePort) {
      // Redis and Sentinel have written these ports into their files.
      throw new UserError(
        `The data in ${directory} belong to first port ${earlier.basePort}, not ${basePort}: start with --port ${earlier.basePort}, or with --fresh to throw them away.`,
      );
    }
    try {
      findEngineProgram(local.settings.images.engine, "server", process.env.PATH);
    } catch {
      const { engine } = local.settings.images;
      throw new UserError(
        `${engine}-server is not in PATH: install it (Debian and Ubuntu: apt-get install ${engine}-server, macOS: brew install ${engine}).`,
      );
    }
    for (const warning of warningsOf({
      redis: local.settings.redis,
      proxy: { ...local.settings.proxy, replicas: 2 },
    }))
      onProgress(`WARNING: ${warning}`);
    refuseEphemeralPorts(basePort);
    // What a killed part has left listens on its port.
    await local.stop();
    await local.#refuseBusyPorts();
    const { host } = options;
    prepareDirectory(directory, { basePort, configuration, ...(host === undefined ? {} : { host }) }, fresh);
    await local.#writeSecrets(options.tester);
    try {
      if (options.volumeBytes !== undefined) await local.#mountVolumes(options.volumeBytes);
      for (const workload of local.#workloads) {
        onProgress(`starting ${workload.name} on port ${workload.ports[0]?.port}`);
        local.#start(workload);
      }
      onProgress("waiting until the Sentinels agree and the replicas are in sync");
      await local.#waitUntilHealthy(options);
    } catch (error) {
      await local.stop();
      throw error;
    }
    return local;
  }

  /** Names of all parts, `redis-instance-1`. */
  get names(): string[] {
    return this.#workloads.map(({ name }) => name);
  }

  isRunning(name: string): boolean {
    return this.#table.isRunning(name);
  }

  /** The password of the first application's user: of `default`, unless configured. */
  get password(): string {
    return this.passwordOf(this.#user);
  }

  /** The password of an application's user, or of one of the parts. */
  passwordOf(user: string): string {
    return readLocalPassword(this.#site.secretDirectory, user);
  }

  /** How to log in as an application's user, or as one of the parts. */
  loginOf(user: string): { readonly username: string; readonly password: string } {
    return { username: user, password: this.passwordOf(user) };
  }

  /** Where its passwords, seeds and private keys are. */
  get secretDirectories(): string[] {
    return [this.#site.secretDirectory, join(this.#directory, "tls")];
  }

  /** What it was started with, `namespace:key` → text. */
  get configuration(): Readonly<Record<string, string>> {
    return readRecord(this.#directory)?.configuration ?? {};
  }

  /** For connections to Redis and the Sentinels themselves; undefined when they use no TLS. */
  get serverTls(): TlsFiles | undefined {
    return this.settings.tls.mode === "all"
      ? new TlsFiles(this.#site.certificateDirectory("proxy"))
      : undefined;
  }

  /** The stack's outputs, as far as they have a meaning here. No secret is among them. */
  get outputs(): Record<string, string | number> {
    const { host, port } = this.#site.address({ kind: "proxy", index: 1 });
    return {
      proxyEndpoint: formatAddress({ host, port }),
      proxyHost: host,
      proxyPort: port,
      sentinelEndpoint: this.settings.proxy.sentinelApi
        ? formatAddress({ host, port: this.#site.proxySentinelPort })
        : this.#topology.sentinels.map(({ part }) => formatAddress(this.#site.address(part))).join(","),
      masterName: this.settings.sentinel.masterName,
      ...(this.settings.tls.mode === "off"
        ? {}
        : { caFile: join(this.#site.certificateDirectory("proxy"), tlsFileNames.ca) }),
      user: this.#user,
      credentialsFile: join(this.#site.secretDirectory, this.#user),
    };
  }

  /** Where clients reach each proxy. */
  get proxyAddresses(): Address[] {
    return this.#proxies.map(({ part }) => this.#site.address(part));
  }

  /** What somebody who looks at the parts needs to know of them. */
  get parts(): LocalPart[] {
    return this.#workloads.map(({ name, part }) => ({
      name,
      kind: part.kind,
      address: this.#site.address(part),
      adminUrl: this.#adminUrl(part),
      stateDirectory: this.stateDirectory(name),
      logFile: this.#table.logOf(name),
    }));
  }

  status(): Promise<TopologyStatus> {
    const { redis, sentinels } = this.#topology;
    const named = ({ name, part }: Workload) => ({ name, address: this.#site.address(part) });
    return askStatus({
      redis: redis.map(named),
      sentinels: sentinels.map(named),
      proxies: this.#proxies.map((proxy) => ({ ...named(proxy), readyUrl: this.#readyUrl(proxy) })),
      masterName: this.settings.sentinel.masterName,
      ...(this.settings.move.source === undefined
        ? {}
        : { moveSource: parseAddress(this.settings.move.source) }),
      // On Redis and the Sentinels, it may look at everything.
      tls: this.serverTls,
      username: "supervisor",
      password: this.passwordOf("supervisor"),
      pidOf: (name) => this.#table.running.find((record) => record.name === name)?.pid,
    });
  }

  #readyUrl({ part }: Workload): string {
    return `${this.#adminUrl(part)}/readyz`;
  }

  #adminUrl(part: Workload["part"]): string {
    return `http://${formatAddress({ host: this.#site.address(part).host, port: this.#site.adminPort(part) })}`;
  }

  /** Where a part keeps what outlives its process. */
  stateDirectory(name: string): string {
    const { part, environment } = this.#workload(name);
    return environment.REDIS_DATA_DIR ?? this.#site.stateDirectory(part);
  }

  /** The file that a part writes its log to. */
  logOf(name: string): string {
    return this.#table.logOf(name);
  }

  /** Sends a signal to one part and all its processes: `SIGKILL` is a crash, `SIGSTOP` a freeze. */
  signal(name: string, signal: NodeJS.Signals): void {
    this.#table.signal(this.#workload(name).name, signal);
  }

  /** Ends a part, if it runs, and starts it with its environment of now. A master hands its role over first. */
  async restart(name: string): Promise<void> {
    const workload = this.#workload(name);
    await this.#table.stop(name);
    this.#start(workload);
  }

  /** Ends a part as its pod is ended: a master hands its role over first. */
  async end(name: string): Promise<void> {
    await this.#table.stop(this.#workload(name).name);
  }

  /** The same processes as seen with other settings: whoever is started again through it is started with these, on its old volume. */
  configuredAs(configuration: Readonly<Record<string, string>>): LocalTopology {
    return new LocalTopology({ ...this.#options, configuration });
  }

  /** Ends every part, the proxy first and the Sentinels last. */
  async stop(): Promise<void> {
    const { redis, sentinels } = this.#topology;
    await Promise.all(this.#proxies.map(({ name }) => this.#table.stop(name)));
    // There will be nobody to hand the master's role to.
    await Promise.all(redis.map(({ name }) => this.#table.stop(name, undefined, "SIGINT")));
    await Promise.all(sentinels.map(({ name }) => this.#table.stop(name)));
  }

  get #user(): string {
    return this.settings.redis.users[0]?.name ?? "default";
  }

  async #writeSecrets(tester: string | undefined): Promise<void> {
    const { redis, proxy, tls } = this.settings;
    if (tls.mode !== "off") {
      const { generation, hostnames } = tls;
      const hosts = new Set(this.#workloads.map(({ part }) => this.#site.address(part).host));
      await writeLocalCertificates(join(this.#directory, "tls"), {
        generation,
        hosts: [...hosts],
        hostnames,
      });
    }
    const { users, passwordGeneration: generation, durability } = redis;
    writeLocalSecrets(this.#site.secretDirectory, {
      users,
      generation,
      allowedCommands: proxy.allowCommands,
      quorum: durability === "quorum",
      clientsAskSentinels: !proxy.sentinelApi,
      tester,
    });
  }

  get #workloads(): Workload[] {
    return [...this.#topology.sentinels, ...this.#topology.redis, ...this.#proxies];
  }

  #workload(name: string): Workload {
    const workload = this.#workloads.find((candidate) => candidate.name === name);
    if (workload === undefined)
      throw new UserError(`There is no part '${name}': use one of ${this.names.join(", ")}.`);
    return workload;
  }

  #start({ name, part, program, environment }: Workload): void {
    const folder = program.image === "proxy" ? "proxy" : "sentinel-image";
    const file = fileURLToPath(new URL(`../../${folder}/${program.entrypoint}.ts`, import.meta.url));
    const bare = { program: process.execPath, args: [file] };
    const command = this.#network?.on(part, bare) ?? bare;
    this.#table.start(name, command.program, command.args, {
      PATH: process.env.PATH ?? "",
      ...environment,
    });
  }

  async #mountVolumes(bytes: number): Promise<void> {
    for (const { part } of this.#topology.redis) {
      const directory = this.#site.stateDirectory(part);
      mkdirSync(directory, { recursive: true });
      await execa("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "none", directory]);
    }
  }

  async #refuseBusyPorts(): Promise<void> {
    const owners = new Map(
      this.#workloads.flatMap(({ name, ports }) => ports.map(({ port }) => [port, name] as const)),
    );
    const busy = await portsInUse([...owners.keys()], this.#site.address(endpointPart).host);
    if (busy.length > 0) {
      const list = busy.map((port) => `${port} (${owners.get(port)})`).join(", ");
      throw new UserError(
        `Port ${list} is in use: choose another first port with --port. Nothing was started.`,
      );
    }
  }

  async #waitUntilHealthy({
    signal,
    readyWithinMs = usuallyReadyWithinMs,
  }: Pick<LocalOptions, "signal" | "readyWithinMs">): Promise<void> {
    const deadline = performance.now() + readyWithinMs;
    for (;;) {
      if (signal?.aborted) throw new UserError("Interrupted: everything was stopped again.");
      const status = await this.status();
      if (status.healthy) return;
      const ended = this.names.find((name) => !this.#table.isRunning(name));
      if (ended !== undefined) {
        throw new UserError(
          `${ended} ended while it was started. ${this.#table.logOf(ended)} ends with\n${this.#lastLines(ended)}`,
        );
      }
      if (performance.now() > deadline) {
        const ill = status.parts
          .filter(({ healthy }) => !healthy)
          .map(({ name, state }) => `${name}: ${state}`);
        throw new UserError(
          `Not healthy within ${readyWithinMs / 1000} s: ${ill.join("; ")}. Logs: ${join(this.#table.logOf(""), "..")}`,
        );
      }
      await delay(100);
    }
  }

  #lastLines(name: string): string {
    return readFileSync(this.#table.logOf(name), "utf8").trimEnd().split("\n").slice(-3).join("\n");
  }
}
