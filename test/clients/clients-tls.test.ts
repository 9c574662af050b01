import assert from "node:assert/strict";
import { execa } from "execa";
import { LocalTopology } from "../../local/local-topology.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";
import { type ClientName, clientNames, type Prepared, prepareClient } from "../support/toolchains.ts";

/** Prepared before the tests are named: a client that is missing says why in the name of its test. */
const prepared = new Map<ClientName, Prepared | Error>();
for (const name of clientNames) {
  prepared.set(name, await prepareClient(name).catch((error: Error) => error));
}

describe("clients with TLS", function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  let local: LocalTopology;
  let basePort: number;

  before(async () => {
    basePort = await freeBasePort();
    local = await LocalTopology.start({
      directory: directory.path,
      basePort,
      configuration: { "tls:mode": "clients" },
    });
  });

  after(async () => {
    await local?.stop();
    directory.remove();
  });

  const modes = {
    plain: () => ["--address", `127.0.0.1:${basePort}`],
    Sentinel: () => [
      "--sentinel",
      `127.0.0.1:${basePort + 1}`,
      "--master",
      local.settings.sentinel.masterName,
    ],
  } as const;

  for (const [mode, arguments_] of Object.entries(modes)) {
    for (const [name, program] of prepared) {
      if (program instanceof Error) {
        it(`${name} in ${mode} mode`, () => Promise.reject(program));
        continue;
      }
      if (program.missing !== undefined) {
        it.skip(`${name} in ${mode} mode: SKIPPED, ${program.missing}`);
        continue;
      }
      it(`${name} in ${mode} mode goes through its whole tour`, async () => {
        const { credentialsFile, caFile } = local.outputs;
        const args = [...program.args, ...arguments_(), "--prefix", `${mode}:${name}`];
        const { stdout } = await execa(program.command, args, {
          env: {
            ...process.env,
            REDIS_PASSWORD_FILE: String(credentialsFile),
            REDIS_CA_FILE: String(caFile),
          },
          timeout: 30_000,
          stdin: "ignore",
        });
        const steps = stdout.split("\n").map((line) => JSON.parse(line) as { done: string });
        assert.equal(steps.length, 8);
      });
    }
  }
});
