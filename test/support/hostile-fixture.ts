import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { encodeCommand } from "../../proxy/resp/command-frame.ts";
import { residentMiB } from "../../workshop/bench/process-cost.ts";
import { HostileServers } from "../../workshop/hostile/hostile-servers.ts";
import { NormalClient } from "../../workshop/hostile/normal-client.ts";
import { eventually } from "./eventually.ts";
import { freeBasePort } from "./free-ports.ts";

/** The cap of the issue. */
const rssCapMiB = 512;
const password = "hostile-test";

/** One connection of an attacker: raw bytes there, raw bytes back. */
export class Intruder {
  received = "";
  /** The proxy has ended it. */
  ended = false;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
    this.socket
      .on("error", () => undefined)
      .on("data", (chunk: Buffer) => {
        this.received += chunk.toString("latin1");
      })
      .on("end", () => {
        this.ended = true;
      })
      .on("close", () => {
        this.ended = true;
      });
  }

  send(bytes: Buffer | string): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  command(...args: string[]): void {
    this.send(encodeCommand(args));
  }

  /** Sends the same bytes again and again until so many were sent, it is ended, or they aren't taken for a second. */
  async flood(bytes: Buffer, total: number): Promise<void> {
    const { socket } = this;
    for (let sent = 0; sent < total && !this.ended; sent += bytes.length) {
      if (socket.write(bytes)) continue;
      const { promise, resolve } = Promise.withResolvers<"taken" | "stuck">();
      const taken = (): void => resolve("taken");
      const stuck = setTimeout(() => resolve("stuck"), 1000);
      socket.once("drain", taken).once("close", taken);
      const outcome = await promise;
      clearTimeout(stuck);
      socket.off("drain", taken).off("close", taken);
      if (outcome === "stuck") return;
    }
  }

  /** Waits for an answer. */
  async answers(expected: RegExp, withinMs = 5000): Promise<void> {
    await eventually(() => assert.match(this.received.slice(-2000), expected), { withinMs, everyMs: 5 });
  }

  /** Waits until the proxy has ended the connection. */
  async isClosed(withinMs = 3000): Promise<void> {
    await eventually(() => assert.ok(this.ended, `it is open: ${this.received.slice(0, 200)}`), {
      withinMs,
      everyMs: 10,
    });
  }
}

/** Real processes under attack, and a normal client beside the attackers that must not notice. */
export class HostileFixture {
  #servers: HostileServers | undefined;
  #intruders: Intruder[] = [];
  #peakMiB = 0;
  readonly #password: string | undefined;

  /** @param withPassword whether clients need one. */
  constructor(withPassword: boolean) {
    this.#password = withPassword ? password : undefined;
  }

  get servers(): HostileServers {
    if (this.#servers === undefined) throw new Error("only in a test");
    return this.#servers;
  }

  async start(): Promise<void> {
    this.#servers = await HostileServers.start({
      basePort: await freeBasePort(),
      password: this.#password,
    });
  }

  /**
   * Attacks, with the normal client beside it.
   *
   * @throws {AssertionError} when the proxy has ended, took too much memory, or the normal client noticed something.
   */
  async attack(body: () => Promise<void>): Promise<void> {
    const { servers } = this;
    const normal = await NormalClient.start(servers.proxyPort, this.#password);
    this.#peakMiB = residentMiB(servers.proxyPid);
    const watch = setInterval(() => {
      if (servers.proxyEnd === undefined) {
        this.#peakMiB = Math.max(this.#peakMiB, residentMiB(servers.proxyPid));
      }
    }, 20);
    try {
      await body();
      assert.equal(servers.proxyEnd, undefined, `the proxy has ended:\n${servers.proxyOutput}`);
      assert.ok(
        this.#peakMiB < rssCapMiB,
        `the proxy took ${this.#peakMiB.toFixed(0)} of ${rssCapMiB} MiB of memory`,
      );
    } finally {
      clearInterval(watch);
      for (const { socket } of this.#intruders.splice(0)) socket.destroy();
      await normal.stop();
    }
    assert.deepEqual(normal.notices, []);
  }

  async stop(): Promise<void> {
    await this.#servers?.stop();
    this.#servers = undefined;
  }

  /** A new connection to the proxy. */
  intruder(port = this.servers.proxyPort): Intruder {
    const intruder = new Intruder(port);
    this.#intruders.push(intruder);
    return intruder;
  }

  /** A new connection of somebody who has the password. */
  async insider(): Promise<Intruder> {
    const intruder = this.intruder();
    if (this.#password !== undefined) {
      intruder.command("AUTH", this.#password);
      await intruder.answers(/^\+OK\r\n$/);
      intruder.received = "";
    }
    return intruder;
  }

  /** The highest resident memory in this attack, MiB. */
  get peakMiB(): number {
    return this.#peakMiB;
  }

  /** Waits until the proxy has worked through what came before: it answers metrics in the same event loop. */
  async metric(name: string): Promise<number> {
    return (await this.servers.metrics()).get(name) ?? 0;
  }
}
