import { connect, type Socket } from "node:net";
import { encodeCommand } from "../../proxy/resp/command-frame.ts";
import { type Address, formatAddress } from "../../runtime/address.ts";
import type { Execution } from "./find-stale-writes.ts";
import { parseLedgerWrite } from "./ledger-keys.ts";
import { monotonicOf } from "./monotonic-clock.ts";
import { parseMonitorLine } from "./parse-monitor-line.ts";

export interface WriteMonitorOptions {
  readonly instances: readonly Address[];
  /** A user that may use MONITOR. */
  readonly username: string;
  readonly password: string;
  readonly onExecution: (execution: Execution) => void;
}

/**
 * Listens to every instance with `MONITOR`, which shows each command that is executed (not those that are refused) with
 * the server's own time: a write of a master that was frozen is dated right even when it is told seconds later. What an
 * instance gets from its master is told from what a client sends by where it comes from.
 */
export class WriteMonitor {
  readonly #options: WriteMonitorOptions;
  readonly #sockets = new Map<Address, Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(options: WriteMonitorOptions) {
    this.#options = options;
    for (const instance of options.instances) this.#listen(instance);
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #listen(instance: Address): void {
    const { username, password } = this.#options;
    const socket = connect(instance.port, instance.host);
    this.#sockets.set(instance, socket);
    let rest = "";
    socket.setEncoding("utf8");
    socket.on("connect", () => {
      socket.write(Buffer.concat([encodeCommand(["AUTH", username, password]), encodeCommand(["MONITOR"])]));
    });
    socket.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\r\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(instance, line);
    });
    // An instance that is dead, or drops its clients at a change of its role, is listened to again.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (this.#stopped) return;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#listen(instance);
      }, 25);
      this.#timers.add(timer);
    });
  }

  #take(instance: Address, line: string): void {
    // Most lines are heartbeats and questions: they aren't taken apart.
    if (!line.includes('"ledger:')) return;
    const command = parseMonitorLine(line);
    if (
      command === undefined ||
      this.#options.instances.some((peer) => command.source === formatAddress(peer))
    )
      return;
    const write = parseLedgerWrite(command.args);
    if (write === undefined) return;
    this.#options.onExecution({ instance, atMs: monotonicOf(command.wallMs), ...write });
  }
}
