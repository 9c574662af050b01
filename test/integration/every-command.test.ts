import assert from "node:assert/strict";
import { readCommandInfo } from "../../proxy/commands/classify-command.ts";
import type { CommandRule } from "../../proxy/commands/command-rule.ts";
import { CommandTable } from "../../proxy/commands/command-table.ts";
import { httpCommands } from "../../proxy/commands/special-commands.ts";
import {
  allSamples,
  dataset,
  unorderedReplies,
  varyingReplies,
} from "../support/command-samples/all-samples.ts";
import { callsOf, type Sample } from "../support/command-samples/sample.ts";
import { firstDifference } from "../support/first-difference.ts";
import { RealMaster } from "../support/real-master.ts";
import { type Dialect, dialects, transcriptOf } from "../support/transcript.ts";

const emptyServer = ["FLUSHALL", "SCRIPT FLUSH", "FUNCTION FLUSH", ...dataset];

describe("every command of the running server", function () {
  this.timeout(60_000);
  let test: RealMaster;
  let rules: ReadonlyMap<string, CommandRule>;
  let arities: ReadonlyMap<string, number>;

  before(async () => {
    test = await RealMaster.start();
    const infos = await test.redis.client.call("COMMAND");
    rules = flatten(new CommandTable(readCommandInfo(infos)).rules.values());
    arities = readArities(infos);
  });
  after(() => test.stop());

  const has = (name: string): boolean => rules.get(name)?.route !== "denied" && arities.has(name);

  async function answers(port: number, dialect: Dialect, commands: readonly (readonly string[])[]) {
    const pipeline = test.redis.client.pipeline();
    for (const line of emptyServer) {
      const [name = "", ...args] = callsOf(line)[0] ?? [];
      pipeline.call(name, ...args);
    }
    for (const [error] of (await pipeline.exec()) ?? []) assert.ifError(error);
    return transcriptOf(port, dialect, commands);
  }

  async function compare(name: string, dialect: Dialect, sample: Sample): Promise<string | undefined> {
    const calls = callsOf(sample);
    // What a client listens to isn't over when its connection is: the next one would be counted with it.
    const subscribes = calls.some(([first = ""]) => /^[ps]?subscribe$/i.test(first));
    const commands = subscribes ? [...calls, ["UNSUBSCRIBE"], ["PUNSUBSCRIBE"], ["SUNSUBSCRIBE"]] : calls;
    const direct = await answers(test.redis.port, dialect, commands);
    const proxied = await answers(test.proxy.port, dialect, commands);
    const shape = (text: string): string => (text[0] === "-" ? text : (text[0] ?? ""));
    const lines = (text: string): string => text.split("\r\n").toSorted().join("\r\n");
    const seen = name in varyingReplies ? shape : unorderedReplies.has(name) ? lines : String;
    return seen(direct) === seen(proxied)
      ? undefined
      : `${JSON.stringify(sample)} in ${dialect}: ${firstDifference(direct, proxied)}`;
  }

  it("has samples, or is denied", () => {
    const missing = [...arities.keys()].filter(
      // A container alone is an error, which the next test makes.
      (name) => has(name) && !(name in allSamples) && rules.get(name)?.subcommands === undefined,
    );
    assert.deepEqual(missing, []);
  });

  for (const dialect of dialects) {
    it(`answers through the proxy what Redis answers, byte by byte: ${dialect}`, async () => {
      const wrong: (string | undefined)[] = [];
      let count = 0;
      for (const [name, samples] of Object.entries(allSamples)) {
        // An older server than the samples were made for hasn't all of them.
        if (!has(name)) continue;
        for (const sample of samples) {
          wrong.push(await compare(name, dialect, sample));
          count++;
        }
      }
      assert.deepEqual(
        wrong.filter((one) => one !== undefined),
        [],
      );
      assert.ok(count > 400, `${count} samples`);
    });
  }

  it("answers as Redis does when it has too few arguments", async () => {
    const wrong: (string | undefined)[] = [];
    for (const [name, arity] of arities) {
      const words = name.toUpperCase().split("|");
      if (has(name) && Math.abs(arity) > words.length) wrong.push(await compare(name, "RESP2", [words]));
    }
    assert.deepEqual(
      wrong.filter((one) => one !== undefined),
      [],
    );
    assert.ok(wrong.length > 200, `${wrong.length} commands`);
  });

  it("that is denied gets NOPERM, and its connection goes on", async () => {
    const denied = [...rules.values()].filter(
      (rule) => rule.route === "denied" && rule.subcommands === undefined && !httpCommands.has(rule.name),
    );
    assert.ok(denied.length > 20, `${denied.length} commands`);
    for (const { name } of denied) {
      const text = await transcriptOf(test.proxy.port, "RESP2", [
        [...name.split("|"), "a"],
        ["ECHO", "on"],
      ]);
      assert.match(text, /^-NOPERM [^\r]*\r\n\$2\r\non\r\n/, name);
    }
  });
});

function flatten(rules: Iterable<CommandRule>): ReadonlyMap<string, CommandRule> {
  return new Map(
    [...rules].flatMap((rule) =>
      [rule, ...(rule.subcommands?.values() ?? [])].map((one) => [one.name, one] as const),
    ),
  );
}

function readArities(reply: unknown): ReadonlyMap<string, number> {
  assert.ok(Array.isArray(reply));
  return new Map(
    reply.flatMap((entry: unknown): [string, number][] => {
      assert.ok(Array.isArray(entry));
      const [name, arity] = entry as unknown[];
      const subcommands: unknown = entry[9];
      return [
        [String(name), Number(arity)],
        ...(Array.isArray(subcommands) ? readArities(subcommands) : new Map<string, number>()),
      ];
    }),
  );
}
