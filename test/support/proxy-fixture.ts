import assert from "node:assert/strict";
import { eventually } from "./eventually.ts";
import type { FakeRedis } from "./fake-redis.ts";
import { FakeTopology, warmUp } from "./fake-topology.ts";
import type { RespClient } from "./resp-client.ts";
import { TestProxy, type TestProxyOptions } from "./test-proxy.ts";

/** What {@link useProxy} adds to the proxy's options. */
export interface ProxyFixtureOptions extends TestProxyOptions {
  /** User → password of every Redis; the proxy has the default user's. Default: no passwords. */
  readonly users?: ReadonlyMap<string, string>;
}

/** What the outcome of an unknown command looks like. */
export const uncertain = /^-UNCERTAIN .*may or may not have been executed/;
/** What a command gets that waited too long. */
export const notExecuted = /^-LOADING no master available.*not executed/;

/** A proxy that follows the first of two fake Redis, for each test of a `describe`. */
export class ProxyFixture {
  #topology: FakeTopology | undefined;
  #proxy: TestProxy | undefined;
  #observer: RespClient | undefined;
  readonly #options: ProxyFixtureOptions;

  constructor(options: ProxyFixtureOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { users, ...options } = this.#options;
    this.#topology = await FakeTopology.start();
    const password = users?.get("default");
    if (users !== undefined) this.#topology.requirePasswords(users);
    this.#proxy = await TestProxy.start(this.#topology, { password: () => password, ...options });
    this.#observer = await this.#proxy.client();
    if (password !== undefined) await this.#observer.call("AUTH", password);
    await this.settled();
  }

  async stop(): Promise<void> {
    await this.#proxy?.stop();
    await this.#topology?.stop();
    this.#proxy = undefined;
    this.#topology = undefined;
  }

  get topology(): FakeTopology {
    if (this.#topology === undefined) throw new Error("only in a test");
    return this.#topology;
  }

  get proxy(): TestProxy {
    if (this.#proxy === undefined) throw new Error("only in a test");
    return this.#proxy;
  }

  get first(): FakeRedis {
    return this.topology.first;
  }

  get second(): FakeRedis {
    return this.topology.second;
  }

  /** A client that has been served already: there is a connection to the master for its kind. */
  async client(protocol: 2 | 3 = 2): Promise<RespClient> {
    const client = await this.proxy.client(protocol);
    await client.call(warmUp);
    return client;
  }

  /** A client that has said nothing yet, except for HELLO 3. */
  async newcomer(protocol: 2 | 3 = 2): Promise<RespClient> {
    return this.proxy.client(protocol);
  }

  /** The first Redis is killed, and the proxy knows: from now on it holds commands. */
  async loseMaster(): Promise<void> {
    await this.first.stop();
    await this.proxy.holds();
  }

  /** Waits until the proxy has asked the first Sentinel so many times again. */
  async rounds(count: number): Promise<void> {
    const [sentinel] = this.topology.sentinels;
    const questions = () => sentinel.received.filter((text) => /^SENTINEL /i.test(text)).length;
    for (let i = 0; i < count; i++) {
      const before = questions();
      // An event makes it ask at once.
      sentinel.publish("+sdown", "slave");
      await eventually(() => assert.ok(questions() > before), { everyMs: 5 });
    }
  }

  /** Waits until a Redis was asked for its role so many times again. */
  async probes(redis: FakeRedis, count: number): Promise<void> {
    const asked = () => redis.log.filter(({ text }) => text === "ROLE").length;
    const before = asked();
    await eventually(() => assert.ok(asked() >= before + count), { everyMs: 5 });
  }

  /** Waits until the proxy has read all that was sent before: it answers this by itself, and in order. */
  async settled(): Promise<void> {
    await this.#observer?.call("HELLO");
  }
}

/** Starts a topology and a proxy before each test, and ends them after it. */
export function useProxy(options: ProxyFixtureOptions = {}): ProxyFixture {
  const fixture = new ProxyFixture(options);
  beforeEach(() => fixture.start());
  afterEach(() => fixture.stop());
  return fixture;
}
