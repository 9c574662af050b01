import assert from "node:assert/strict";
import { execa } from "execa";
import { LocalTopology } from "../../local/local-topology.ts";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";
import {
  type FailoverCause,
  type FailoverOutcome,
  type FailoverProgram,
  runThroughFailover,
} from "../support/run-through-failover.ts";
import { type ClientName, clientNames, type Prepared, prepareClient } from "../support/toolchains.ts";

const everyStep = [
  "set and get",
  "pipeline",
  "transaction",
  "watch",
  "publish and subscribe",
  "blocking pop",
  "script",
  "big value",
].map((done) => ({ done }));

/** After this long in ms they give a command up and close its connection, by their own defaults. */
const patienceMs: Record<ClientName, number> = {
  ioredis: Number.POSITIVE_INFINITY,
  "node-redis": Number.POSITIVE_INFINITY,
  "redis-py": 5000,
  "go-redis": 5000,
  Jedis: 2000,
  Lettuce: 60_000,
};

/** Prepared before the tests are named: a client that is missing says why in the name of its test. */
const prepared = new Map<ClientName, Prepared | Error>();
for (const name of clientNames) {
  prepared.set(name, await prepareClient(name).catch((error: Error) => error));
}

describe("clients with their default settings", function () {
  this.timeout(60_000);
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

  /** A test of one client, or a skipped one that says what is missing. */
  function test(name: ClientName, body: (command: string, args: readonly string[]) => Promise<void>): void {
    const program = prepared.get(name);
    if (program === undefined || program instanceof Error) {
      it(name, () => Promise.reject(program));
    } else if (program.missing !== undefined) {
      it.skip(`${name}: SKIPPED, ${program.missing}`);
    } else {
      it(name, () => body(program.command, program.args));
    }
  }

  const environment = (): NodeJS.ProcessEnv => ({
    ...process.env,
    REDIS_PASSWORD_FILE: String(local.outputs.credentialsFile),
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

  const causes: Record<string, FailoverCause> = {
    "is killed": {
      inflict: (_, master) => local.signal(master, "SIGKILL"),
      uncertain: true,
    },
    "is moved by an administrator": {
      async inflict() {
        const sentinel = new ControlConnection({
          address: { host: "127.0.0.1", port: basePort + 201 },
          username: "supervisor",
          password: () => local.passwordOf("supervisor"),
        });
        await sentinel.call("SENTINEL", "FAILOVER", local.settings.sentinel.masterName);
        sentinel.close();
      },
      uncertain: false,
    },
  };

  for (const [mode, arguments_] of Object.entries(modes)) {
    describe(`in ${mode} mode`, () => {
      for (const name of clientNames) {
        test(name, async (command, args) => {
          const { stdout } = await execa(command, [...args, ...arguments_(), "--prefix", `${mode}:${name}`], {
            env: environment(),
            timeout: 30_000,
            stdin: "ignore",
          });
          assert.deepEqual(
            stdout.split("\n").map((line) => JSON.parse(line)),
            everyStep,
          );
        });
      }
    });

    for (const [fault, cause] of Object.entries(causes)) {
      describe(`in ${mode} mode, when the master ${fault}`, () => {
        let outcomes: Map<ClientName, FailoverOutcome>;

        before(async () => {
          const programs = new Map<ClientName, FailoverProgram>();
          for (const [name, program] of prepared) {
            if (program instanceof Error || program.missing !== undefined) continue;
            programs.set(name, {
              command: program.command,
              args: [...program.args, ...arguments_()],
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
          test(name, async () => {
            const outcome = outcomes.get(name);
            console.log(`        ${outcome?.summary}`);
            assert.deepEqual(outcome?.wrong, []);
          });
        }
      });
    }
  }
});
