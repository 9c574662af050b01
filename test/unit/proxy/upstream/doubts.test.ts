import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { Doubts } from "../../../../proxy/upstream/doubts.ts";

const refusal = Buffer.from("-NOREPLICAS Not enough good replicas to write.\r\n");
const without = "role:master\r\nmin_slaves_good_slaves:0\r\n";
const withReplicas = "role:master\r\nmin_slaves_good_slaves:1\r\n";

describe("Doubts", () => {
  let now: number;
  let questions: PromiseWithResolvers<string>[];
  let doubts: Doubts;
  let told: boolean[];
  const address = { host: "redis", port: 1 };
  const doubt = (reply = refusal): void => doubts.settle(address, reply, (refused) => told.push(refused));

  beforeEach(() => {
    now = 0;
    questions = [];
    told = [];
    doubts = new Doubts(
      () => {
        const question = Promise.withResolvers<string>();
        questions.push(question);
        return question.promise;
      },
      () => now,
    );
  });

  const answer = async (info: string): Promise<void> => {
    await turn();
    questions.at(-1)?.resolve(info);
    await turn();
  };

  it("are settled by the state of that Redis", async () => {
    doubt();
    await answer(without);
    doubt();
    now = 1000;
    doubt();
    await answer(withReplicas);
    assert.deepEqual(told, [true, true, false]);
  });

  it("need no question when the words aren't those of Redis", () => {
    doubt(Buffer.from("-NOREPLICAS of that kind\r\n"));
    assert.deepEqual([told, questions.length], [[false], 0]);
  });

  it("are no refusal when nobody answers", async () => {
    doubt();
    await turn();
    questions[0]?.reject(new Error("no answer"));
    await turn();
    assert.deepEqual(told, [false]);
  });

  it("share one question, which is asked after all of them were heard", async () => {
    doubt();
    await turn();
    doubt();
    doubt();
    await turn();
    assert.equal(questions.length, 1);
    questions[0]?.resolve(withReplicas);
    await turn();
    assert.deepEqual([told, questions.length], [[false], 2]);
    await answer(without);
    assert.deepEqual(told, [false, true, true]);
    doubt();
    await turn();
    assert.equal(questions.length, 3);
  });
});
