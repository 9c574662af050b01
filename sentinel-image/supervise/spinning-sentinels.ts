import type { ControlConnection } from "../../quorum/control-connection.ts";
import { formatAddress } from "../../runtime/address.ts";
import { parseInfo } from "../start/ask-peer.ts";

// A Sentinel that connects to a Service without an endpoint gets an ICMP error while it still connects. When the endpoint
// appears within the next second, the connection works, but Linux reports that error on it for ever, and the Sentinel asks
// for it without a pause: a core is busy until the connection ends (https://github.com/redis/redis/issues/9956).

/** A Sentinel needs one or two hundredths of a core. */
const busyShare = 0.25;
const windowMs = 10_000;
const pauseMs = 30_000;

/** Tells from the processor time of a process whether it keeps a core busy. */
export class SpinDetector {
  #since: { readonly cpuSeconds: number; readonly atMs: number } | undefined;

  /** True when the process was busy over a whole window of 10 s. After that a pause of 30 s gives the cure time. */
  observe(cpuSeconds: number, atMs: number): boolean {
    const since = this.#since;
    // Less processor time than before: it is another process.
    if (since === undefined || cpuSeconds < since.cpuSeconds) {
      this.#since = { cpuSeconds, atMs };
      return false;
    }
    const elapsedMs = atMs - since.atMs;
    if (elapsedMs < windowMs) return false;
    const busy = (cpuSeconds - since.cpuSeconds) * 1000 >= busyShare * elapsedMs;
    this.#since = { cpuSeconds, atMs: busy ? atMs + pauseMs - windowMs : atMs };
    return busy;
  }
}

/**
 * The processor time that a Redis or a Sentinel has used, in seconds.
 *
 * @throws {Error} when it doesn't answer.
 */
export async function askCpuSeconds(connection: ControlConnection): Promise<number> {
  const fields = parseInfo(String(await connection.call("INFO", "cpu")));
  return Number(fields.get("used_cpu_sys")) + Number(fields.get("used_cpu_user"));
}

/**
 * Ends all connections of one Sentinel with some Redis instances and Sentinels. It opens them again at once.
 *
 * @returns how many there were.
 * @throws {Error} when somebody doesn't answer.
 */
export async function dropSentinelLinks(
  sentinel: ControlConnection,
  servers: readonly ControlConnection[],
): Promise<number> {
  const name = `sentinel-${String(await sentinel.call("SENTINEL", "MYID")).slice(0, 8)}-`;
  let dropped = 0;
  for (const server of servers.filter(
    ({ address }) => formatAddress(address) !== formatAddress(sentinel.address),
  )) {
    for (const id of clientsNamed(String(await server.call("CLIENT", "LIST")), name)) {
      dropped += Number(await server.call("CLIENT", "KILL", "ID", id));
    }
  }
  return dropped;
}

/** The numbers of those clients in a `CLIENT LIST` whose name begins so. */
export function clientsNamed(list: string, prefix: string): string[] {
  return list.split("\n").flatMap((line) => {
    const fields = line.split(" ");
    const id = fields.find((field) => field.startsWith("id="))?.slice("id=".length);
    return id !== undefined && fields.some((field) => field.startsWith(`name=${prefix}`)) ? [id] : [];
  });
}
