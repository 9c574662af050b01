import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { messageOf } from "../../runtime/log.ts";
import type { LocalTopology } from "../local/local-topology.ts";
import type { WriteMeter } from "./write-meter.ts";

/** The one key that it writes; it is gone a minute after the last write. */
export const writtenKey = "redis-ha:console";
const keptSeconds = 60;

/** Between a reply and the next write: what a pause is measured by, and what it costs. */
const everyMs = 25;
/** Longer than a proxy holds a command. */
const answeredWithinMs = 90_000;

/** A client of the endpoint that writes one value after the other, as an application does. */
export class WriteClient {
  readonly #local: LocalTopology;
  readonly #meter: WriteMeter;
  #running: AbortController | undefined;

  constructor(local: LocalTopology, meter: WriteMeter) {
    this.#local = local;
    this.#meter = meter;
  }

  /** Begins to write, if it doesn't yet. */
  start(): void {
    if (this.#running !== undefined) return;
    this.#running = new AbortController();
    this.#meter.resume(Date.now());
    void this.#write(this.#running.signal);
  }

  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
  }

  async #write(signal: AbortSignal): Promise<void> {
    const client = this.#connect();
    signal.addEventListener("abort", () => client.disconnect(), { once: true });
    // Told by the write that fails for it.
    client.on("error", () => undefined);
    for (let n = 1; !signal.aborted; n++) {
      try {
        await client.set(writtenKey, n, "EX", keptSeconds);
        this.#meter.acknowledged(Date.now());
      } catch (error) {
        if (!signal.aborted) this.#meter.failed(messageOf(error));
      }
      await delay(everyMs);
    }
  }

  #connect(): Redis {
    const { proxyHost: host, proxyPort: port, user, caFile } = this.#local.outputs;
    const { username, password } = this.#local.loginOf(String(user));
    return new Redis({
      ...{ host: String(host), port: Number(port), username, password },
      ...(caFile === undefined ? {} : { tls: { ca: readFileSync(String(caFile)) } }),
      enableReadyCheck: false,
      // Nothing is sent twice, and nothing waits for ever.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 50,
      commandTimeout: answeredWithinMs,
    });
  }
}
