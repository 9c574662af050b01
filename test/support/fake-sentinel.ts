import type { Socket } from "node:net";
import type { Address } from "../../runtime/address.ts";
import { FakeServer, Raw, type Reply } from "./fake-server.ts";

/** A Sentinel that says what a test wants: it may lie, be slow or frozen, answer garbage, or be gone. */
export class FakeSentinel extends FakeServer {
  master: Address;
  configEpoch = 1;
  flags = "master";
  readonly #subscribers = new Set<Socket>();

  constructor(master: Address) {
    super();
    this.master = master;
  }

  /** Changes what it says. */
  names(master: Address, configEpoch: number): void {
    this.master = master;
    this.configEpoch = configEpoch;
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  publish(channel: string, message: string): void {
    for (const socket of this.#subscribers) {
      if (this.isAbandoned(socket)) continue;
      const words = ["message", channel, message].map((word) => `$${word.length}\r\n${word}\r\n`);
      socket.write(`*3\r\n${words.join("")}`);
    }
  }

  /** Names another master, and tells its subscribers as Sentinel does after a failover. */
  switchTo(master: Address, configEpoch: number, masterName: string): void {
    const before = this.master;
    this.names(master, configEpoch);
    this.publish(
      "+switch-master",
      `${masterName} ${before.host} ${before.port} ${master.host} ${master.port}`,
    );
  }

  protected answer(command: readonly string[], socket: Socket): Reply {
    const [name = "", subcommand = ""] = command.map((word) => word.toUpperCase());
    if (name === "SUBSCRIBE") {
      this.#subscribers.add(socket);
      socket.once("close", () => this.#subscribers.delete(socket));
      const channels = command.slice(1);
      return new Raw(
        channels
          .map((channel, i) => `*3\r\n$9\r\nsubscribe\r\n$${channel.length}\r\n${channel}\r\n:${i + 1}\r\n`)
          .join(""),
      );
    }
    if (name === "SENTINEL" && subcommand === "MASTER") {
      return [
        ...["name", command[2] ?? "", "ip", this.master.host, "port", String(this.master.port)],
        ...["flags", this.flags, "config-epoch", String(this.configEpoch)],
        ...["num-slaves", "2", "num-other-sentinels", "2"],
      ];
    }
    if (name === "SENTINEL" && subcommand === "GET-MASTER-ADDR-BY-NAME") {
      return [this.master.host, String(this.master.port)];
    }
    if (name === "SENTINEL" && (subcommand === "SENTINELS" || subcommand === "REPLICAS")) return [];
    // In RESP2 a subscriber's is a message of its own kind.
    if (name === "PING") return this.#subscribers.has(socket) ? ["pong", ""] : new Raw("+PONG\r\n");
    return new Raw(`-ERR unknown command '${name}'\r\n`);
  }
}
