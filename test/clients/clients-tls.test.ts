import assert from "node:assert/strict";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { clientModes, everyStep, goOnTour, testClient } from "../support/client-programs.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";
import { clientNames } from "../support/toolchains.ts";

describe("clients with TLS", function () {
  this.timeout(90_000);
  const directory = temporaryDirectory();
  let local: LocalTopology;

  before(async () => {
    local = await LocalTopology.start({
      directory: directory.path,
      basePort: await freeBasePort(),
      configuration: { "tls:mode": "clients" },
    });
  });

  after(async () => {
    await local?.stop();
    directory.remove();
  });

  for (const [mode, arguments_] of Object.entries(clientModes)) {
    for (const name of clientNames) {
      testClient(name, `${name} in ${mode} mode goes through its whole tour`, async (command, args) => {
        const { credentialsFile, caFile } = local.outputs;
        const all = [...args, ...arguments_(local), "--prefix", `${mode}:${name}`];
        const environment = {
          ...process.env,
          REDIS_PASSWORD_FILE: String(credentialsFile),
          REDIS_CA_FILE: String(caFile),
        };
        assert.deepEqual(await goOnTour(command, all, environment), everyStep);
      });
    }
  }
});
