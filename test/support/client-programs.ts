import { execa } from "execa";
import type { LocalTopology } from "../../cli/local/local-topology.ts";
import type { Prepared } from "./fetched.ts";
import { type ClientName, clientNames, prepareClient } from "./toolchains.ts";

/** The six programs of examples/. Prepared before the tests are named: one that is missing says why in the name of its test. */
export const preparedClients = new Map<ClientName, Prepared | Error>();
for (const name of clientNames) {
  preparedClients.set(name, await prepareClient(name).catch((error: Error) => error));
}

/** How a client is told where Redis is: its program's arguments. */
export const clientModes: Readonly<Record<"plain" | "Sentinel", (local: LocalTopology) => string[]>> = {
  plain: ({ outputs }) => ["--address", String(outputs.proxyEndpoint)],
  Sentinel: ({ outputs }) => [
    "--sentinel",
    String(outputs.sentinelEndpoint),
    "--master",
    String(outputs.masterName),
  ],
};

/** A test of one client, or a skipped one that says what is missing. */
export function testClient(
  name: ClientName,
  title: string,
  body: (command: string, args: readonly string[]) => Promise<void>,
): void {
  const program = preparedClients.get(name);
  if (program === undefined || program instanceof Error) {
    it(title, () => Promise.reject(program));
  } else if (program.missing !== undefined) {
    it.skip(`${title}: SKIPPED, ${program.missing}`);
  } else {
    it(title, () => body(program.command, program.args));
  }
}

/** What a program says that has gone through its whole tour. */
export const everyStep = [
  "set and get",
  "pipeline",
  "transaction",
  "watch",
  "publish and subscribe",
  "blocking pop",
  "script",
  "big value",
].map((done) => ({ done }));

/** Sends a client on its tour and gives what it says of each step. @throws {Error} when it fails or takes too long. */
export async function goOnTour(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<unknown[]> {
  const { stdout } = await execa(command, args, { env, timeout: 30_000, stdin: "ignore" });
  return stdout.split("\n").map((line) => JSON.parse(line));
}
