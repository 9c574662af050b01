import assert from "node:assert/strict";
import type { FakeRedis } from "../support/fake-redis.ts";
import { answers, closesAfter, closesBefore, halfAnswers } from "../support/fake-redis-faults.ts";
import { uncertain, useProxy } from "../support/proxy-fixture.ts";
import { Random } from "../support/random.ts";
import type { Shown } from "../support/resp-frames.ts";

const losses = [closesBefore, closesAfter, halfAnswers];
const readonly = answers("-READONLY You can't write against a read only replica.");
const patterns = [/^WATCH/, /^RPUSH/, /^GET/, /^EXEC/, /^MULTI/, /^RPUSH \w+ \w*[02468]$/];

/** A command with an id of its own, and what its reply may be. */
interface Sent {
  readonly text: string;
  readonly mayBe: (reply: Shown) => boolean;
  /** It must have run once after this reply. */
  readonly proves: (reply: Shown) => boolean;
}

describe("the proxy, whatever fails", () => {
  const test = useProxy();
  let ids: number;
  beforeEach(() => {
    ids = 0;
  });

  const isUncertain = (reply: Shown): boolean => uncertain.test(String(reply));
  /** Told only when a later command of the same client was executed: see below. */
  const isRefusal = (reply: Shown): boolean => String(reply).startsWith("-READONLY");
  const never = (): boolean => false;
  const isNumber = (reply: Shown): boolean => typeof reply === "number";
  const write = (): Sent => ({
    text: `RPUSH l id${++ids}`,
    mayBe: (reply) => isNumber(reply) || isUncertain(reply) || isRefusal(reply),
    proves: isNumber,
  });
  const read = (): Sent => ({
    text: `GET k${++ids}`,
    mayBe: (reply) => reply === null || reply === "_",
    proves: never,
  });
  const local = (): Sent => ({
    text: "CLIENT GETNAME",
    mayBe: (reply) => reply === null || reply === "_",
    proves: never,
  });
  const select = (): Sent => ({
    text: `SELECT ${++ids % 3}`,
    mayBe: (reply) => reply === "+OK",
    proves: never,
  });
  const block = (): Sent => ({
    text: `BLPOP empty${++ids} 0.02`,
    mayBe: (reply) => reply === "*-1" || reply === "_" || isUncertain(reply),
    proves: never,
  });
  const watched = (): Sent[] => {
    const [multi, ...rest] = transaction();
    const exec = rest.pop();
    if (multi === undefined || exec === undefined) throw new Error("no transaction");
    return [
      { text: `WATCH w${ids}`, mayBe: (reply) => reply === "+OK" || isUncertain(reply), proves: never },
      multi,
      ...rest,
      { ...exec, mayBe: (reply) => exec.mayBe(reply) || reply === "*-1" || reply === "_" },
    ];
  };
  const transaction = (): Sent[] => [
    { text: "MULTI", mayBe: (reply) => reply === "+OK", proves: never },
    {
      text: `RPUSH l id${++ids}`,
      mayBe: (reply) => reply === "+QUEUED" || isUncertain(reply),
      proves: never,
    },
    {
      text: "EXEC",
      mayBe: (reply) => (Array.isArray(reply) && reply.length === 1) || isUncertain(reply),
      proves: never,
    },
  ];

  /** The other one becomes the master; this one is killed, or made a replica with or without its connections. */
  async function failover(from: FakeRedis, to: FakeRedis, random: Random): Promise<void> {
    const kill = random.below(3);
    if (kill === 0) await from.stop();
    else from.becomeReplica({ kill: kill === 1 });
    to.role = "master";
    test.topology.announce(to);
    from.role = "slave";
    if (kill === 0) await from.start();
  }

  const one = (make: () => Sent) => () => [make()];
  const kinds = [write, write, read, read, local, select, block].map(one).concat(transaction, watched);

  for (const seed of Array.from({ length: 6 }, (_, i) => i + 1)) {
    it(`every command gets one reply in its place and runs at most once, exactly once when it says so (seed ${seed})`, async () => {
      const random = new Random(seed);
      let [master, replica] = [test.first, test.second];
      const clients = await Promise.all(
        [2, 3, 2, 3, 2].map((protocol) => test.client(protocol === 3 ? 3 : 2)),
      );
      const proven: string[] = [];
      const refused: string[] = [];
      for (let round = 0; round < 12; round++) {
        const sent = clients.map(() =>
          Array.from({ length: 1 + random.below(5) }, () => random.pick(kinds)()).flat(),
        );
        if (random.below(2) === 0) master.once(random.pick(patterns), random.pick(losses));
        if (random.below(3) === 0) master.once(/^RPUSH/, readonly);
        for (const [i, client] of clients.entries()) {
          client.pipeline(...(sent[i] ?? []).map(({ text }) => text));
        }
        if (random.below(3) === 0) {
          await failover(master, replica, random);
          [master, replica] = [replica, master];
        }
        for (const [i, client] of clients.entries()) {
          const commands = sent[i] ?? [];
          const replies = await client.replies(commands.length, 5000);
          for (const [at, { text, mayBe, proves }] of commands.entries()) {
            const reply = replies[at] ?? null;
            assert.ok(mayBe(reply), `round ${round}, client ${i}, ${text}: ${JSON.stringify(reply)}`);
            if (proves(reply)) proven.push(text);
            if (!isRefusal(reply)) continue;
            refused.push(text);
            const later = replies.slice(at + 1);
            assert.ok(
              later.some((one) => isNumber(one) || Array.isArray(one)),
              `round ${round}, client ${i}, ${text} could have been sent again: ${JSON.stringify(replies)}`,
            );
          }
        }
        for (const redis of test.topology.redis) redis.behave();
      }
      const runs = new Map<string, number>();
      for (const text of [...test.first.executed, ...test.second.executed]) {
        if (text.startsWith("RPUSH")) runs.set(text, (runs.get(text) ?? 0) + 1);
      }
      assert.deepEqual(
        [...runs].filter(([, times]) => times > 1),
        [],
      );
      assert.deepEqual(
        proven.filter((text) => runs.get(text) !== 1),
        [],
      );
      assert.deepEqual(
        refused.filter((text) => runs.has(text)),
        [],
      );
      assert.ok(clients.every((client) => client.isOpen && client.unread.length === 0));
    });
  }
});
