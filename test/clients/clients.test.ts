import assert from "node:assert/strict";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { clientModes, everyStep, goOnTour, preparedClients, testClient } from "../support/client-programs.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { moveMaster } from "../support/move-master.ts";
import { temporaryDirectory } from "../support/redis-process.ts";
import {
  type FailoverCause,
  type FailoverOutcome,
  type FailoverProgram,
  runThroughFailover,
} from "../support/run-through-failover.ts";
import { type ClientName, clientNames } from "../support/toolchains.ts";

/** After this long in ms they give a command up and close its connection, by their own defaults. */
const patienceMs: Record<ClientName, number> = {
  ioredis: Number.POSITIVE_INFINITY,
  "node-redis": Number.POSITIVE_INFINITY,
  "redis-py": 5000,
  "go-redis": 5000,
  Jedis: 2000,
  Lettuce: 60_000,
};

describe("clients with their default settings", function () {
  this.timeout(90_000);
  const directory = temporaryDirectory();
  let local: LocalTopology;
  let basePort: number;

  before(async () => {
    basePort = await freeBasePort();
    // Jedis waits 2 s for a reply: with the default of 1000 ms a failover on a busy machine often takes longer.
    local = await LocalTopology.start({
      directory: directory.path,
      basePort,
      configuration: { "sentinel:downAfterMs": "500" },
    });
  });

  after(async () => {
    await local?.stop();
    directory.remove();
  });

  const environment = (): NodeJS.ProcessEnv => ({
    ...process.env,
    REDIS_PASSWORD_FILE: String(local.outputs.credentialsFile),
  });

  const causes: Record<string, FailoverCause> = {
    "is killed": {
      inflict: (_, master) => local.signal(master, "SIGKILL"),
      uncertain: true,
    },
    "is moved by an administrator": {
      inflict: () => moveMaster(local, basePort),
      uncertain: false,
    },
  };

  for (const [mode, arguments_] of Object.entries(clientModes)) {
    describe(`in ${mode} mode`, () => {
      for (const name of clientNames) {
        testClient(name, name, async (command, args) => {
          const all = [...args, ...arguments_(local), "--prefix", `${mode}:${name}`];
          assert.deepEqual(await goOnTour(command, all, environment()), everyStep);
        });
      }
    });

    for (const [fault, cause] of Object.entries(causes)) {
      describe(`in ${mode} mode, when the master ${fault}`, () => {
        let outcomes: Map<ClientName, FailoverOutcome>;

        before(async () => {
          const programs = new Map<ClientName, FailoverProgram>();
          for (const [name, program] of preparedClients) {
            if (program instanceof Error || program.missing !== undefined) continue;
            programs.set(name, {
              command: program.command,
              args: [...program.args, ...arguments_(local)],
              env: environment(),
              prefix: `${fault}:${mode}:${name}`,
              patienceMs: patienceMs[name],
            });
          }
          outcomes = await runThroughFailover(programs, local, cause);
        });

        after(async () => {
          for (const name of local.names) if (!local.isRunning(name)) await local.restart(name);
          await eventually(async () => assert.ok((await local.status()).healthy), { withinMs: 30_000 });
        });

        for (const name of clientNames) {
          testClient(name, name, async () => {
            const outcome = outcomes.get(name);
            console.log(`        ${outcome?.summary}`);
            assert.deepEqual(outcome?.wrong, []);
          });
        }
      });
    }
  }
});
