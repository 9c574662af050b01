import { execa } from "execa";

/** What redis-benchmark measured of one command. */
export interface Measurement {
  readonly command: string;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Runs redis-benchmark with SET and GET against one port. @throws {Error} when it fails. */
export async function runRedisBenchmark(
  port: number,
  args: readonly string[],
  { requests, payloadBytes }: { readonly requests: number; readonly payloadBytes: number },
  signal: AbortSignal,
): Promise<Measurement[]> {
  const { stdout } = await execa(
    "redis-benchmark",
    [
      ...["-p", String(port), "-n", String(requests), "-d", String(payloadBytes)],
      ...["-r", payloadBytes > 1000 ? "20" : "10000", "-t", "set,get", "--csv"],
      ...args,
    ],
    { timeout: 300_000, cancelSignal: signal },
  );
  return parseCsv(stdout);
}

/** Reads redis-benchmark's CSV. @throws {Error} when a column is missing. */
export function parseCsv(text: string): Measurement[] {
  const [head, ...rows] = text
    .split("\n")
    .filter((line) => line.startsWith('"'))
    .map((line) => line.split(",").map((cell) => cell.replaceAll('"', "")));
  return rows.map((row) => {
    const cell = (name: string): string => {
      const value = row[head?.indexOf(name) ?? -1];
      if (value === undefined) throw new Error(`redis-benchmark gave no column '${name}'`);
      return value;
    };
    return {
      command: cell("test"),
      requestsPerSecond: Number(cell("rps")),
      p50Ms: Number(cell("p50_latency_ms")),
      p99Ms: Number(cell("p99_latency_ms")),
    };
  });
}
