import assert from "node:assert/strict";
import {
  allSamples,
  dataset,
  unorderedReplies,
  varyingReplies,
} from "../support/command-samples/all-samples.ts";
import { callsOf } from "../support/command-samples/sample.ts";
import { firstDifference } from "../support/first-difference.ts";
import { Random } from "../support/random.ts";
import { RealMaster } from "../support/real-master.ts";
import { dialects, transcriptOf } from "../support/transcript.ts";

const seed = Number(process.env.SEQUENCES_SEED ?? 1);
const sequences = 200;
/** A slow machine makes fewer, but never fewer than a quarter. */
const withinMs = 8000;

/** In a longer sequence these would tell times of delivery, end the connection, or wait for it. */
const alone = new Set(["xinfo|consumers", "xinfo|stream", "xpending", "quit", "wait"]);
/** The proxy refuses them in a transaction: docs/commands.md. */
const notInTransactions =
  /^(auth|hello|reset|[ps]?(un)?subscribe|client (tracking|trackinginfo|caching|getredir|no-evict|reply|setname)|multi|exec|discard|watch)\b/i;

type Command = readonly string[];

describe("random sequences of commands on one connection", function () {
  this.timeout(60_000);
  let test: RealMaster;

  before(async () => {
    test = await RealMaster.start();
  });
  after(() => test.stop());

  async function emptyServer(): Promise<void> {
    const pipeline = test.redis.client.pipeline();
    for (const line of ["FLUSHALL", "SCRIPT FLUSH", "FUNCTION FLUSH", "ACL LOG RESET", ...dataset]) {
      const [name = "", ...args] = line.split(" ");
      pipeline.call(name, ...args);
    }
    for (const [error] of (await pipeline.exec()) ?? []) assert.ifError(error);
  }

  it(`get the same answers through the proxy, byte by byte (SEQUENCES_SEED=${seed})`, async () => {
    const random = new Random(seed);
    const units = await knownUnits(test);
    const until = performance.now() + withinMs;
    let done = 0;
    while (done < sequences && (done < sequences / 4 || performance.now() < until)) {
      const commands = randomSequence(random, units);
      const [dialect, packetSize] = [random.pick(dialects), random.pick([1, 3, 1000])];
      const said: string[] = [];
      for (const { port } of [test.redis, test.proxy]) {
        await emptyServer();
        said.push(
          // Without an end there is a difference, too: what came so far is in the message.
          await transcriptOf(port, dialect, commands, { packetSize }).catch((error: Error) => error.message),
        );
      }
      const [direct = "", proxied = ""] = said;
      const difference = firstDifference(direct, proxied);
      assert.ok(!direct.startsWith("no end"), direct);
      assert.equal(difference, undefined, `sequence ${done} in ${dialect}: ${JSON.stringify(commands)}`);
      done++;
    }
  });
});

/** The samples, each with its commands, of which this server knows all. */
async function knownUnits(test: RealMaster): Promise<readonly (readonly Command[])[]> {
  const names = new Set((await test.redis.client.call("COMMAND", "LIST")) as string[]);
  const units = Object.entries(allSamples)
    .filter(
      ([name]) =>
        names.has(name) && !(name in varyingReplies) && !unorderedReplies.has(name) && !alone.has(name),
    )
    .flatMap(([, samples]) => samples.map(callsOf));
  assert.ok(units.length > 350, `${units.length} samples`);
  return units;
}

function randomSequence(random: Random, units: readonly (readonly Command[])[]): Command[] {
  const commands: Command[] = [];
  const add = (...lines: string[]): void => {
    commands.push(...lines.map((line) => line.split(" ")));
  };
  const length = 5 + random.below(25);
  while (commands.length < length) {
    switch (random.below(12)) {
      case 0: {
        if (random.below(2) === 0) add(random.pick(["WATCH str", "WATCH num list"]));
        if (random.below(3) === 0) add("SET str changed");
        add("MULTI");
        for (let i = random.below(6); i > 0; i--) {
          commands.push(...random.pick(units).filter((call) => !notInTransactions.test(call.join(" "))));
        }
        add(random.pick(["EXEC", "EXEC", "EXEC", "DISCARD"]));
        break;
      }
      case 1:
        add(random.pick(["SELECT 0", "SELECT 1", "SELECT 15"]));
        break;
      case 2:
        add(
          random.pick(["SUBSCRIBE a b", "PSUBSCRIBE a*", "UNSUBSCRIBE", "PUNSUBSCRIBE", "PUBLISH a hello"]),
        );
        break;
      default:
        commands.push(...random.pick(units));
    }
  }
  // What a client listens to isn't over when its connection is: the next one would be counted with it.
  add("DISCARD", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE");
  return commands;
}
