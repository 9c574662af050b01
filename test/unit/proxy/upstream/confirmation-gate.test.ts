import assert from "node:assert/strict";
import {
  type Confirmation,
  ConfirmationGate,
  type Held,
} from "../../../../proxy/upstream/confirmation-gate.ts";
import { Run } from "../../../../proxy/upstream/run.ts";

const yes = Buffer.from(":1\r\n");
const no = Buffer.from(":0\r\n");

describe("ConfirmationGate", () => {
  let opened: { confirmation: Confirmation; replies: string[] }[];
  let observed: Confirmation[];
  let asksAhead: boolean;
  let wanted: number;
  let needed: number;
  let missed: number;
  let gate: ConfirmationGate;

  const textOf = (held: Held): string =>
    held.kind === "message" ? `message ${held.bytes}` : `${held.index}+${held.count} ${held.bytes}`;

  beforeEach(() => {
    opened = [];
    observed = [];
    asksAhead = true;
    wanted = 1;
    needed = 1;
    missed = 0;
    make();
  });

  const make = (): void => {
    gate = new ConfirmationGate(
      {
        timeoutMs: 250,
        needed,
        asksAhead: () => asksAhead,
        observe: (outcome) => observed.push(outcome),
        wanted: () => wanted,
        missed: () => missed++,
      },
      (confirmation, held) => opened.push({ confirmation, replies: held.map(textOf) }),
    );
  };

  /** The last part of a question. */
  const ask = (): Run => {
    const last = gate.question().at(-1);
    if (last === undefined) throw new Error("it asks nothing");
    return last;
  };

  /** The first write on the connection was executed and confirmed. */
  const warmUp = (): void => {
    gate.wrote();
    gate.hold(commands(1), Buffer.from("+OK\r\n"));
    ask().handler?.reply(yes);
    opened = [];
    observed = [];
  };

  /** A run of a client's commands. */
  const commands = (count: number): Run =>
    new Run(undefined, undefined, undefined, Buffer.alloc(0), 0, 0, count, true);

  /** Holds replies that have come together. */
  const hold = (run: Run, ...replies: string[]): void => {
    const piece = Buffer.from(replies.join(""));
    let at = 0;
    for (const reply of replies) {
      gate.hold(run, piece.subarray(at, at + reply.length));
      run.answered++;
      at += reply.length;
    }
  };

  it("asks for a connection's first write when it was executed: a new master may refuse it", () => {
    gate.wrote();
    assert.equal(gate.due, false);
    assert.equal(gate.hold(commands(1), Buffer.from("+OK\r\n")), true);
    assert.equal(gate.due, true);
  });

  it("asks once for all writes before the question", () => {
    warmUp();
    assert.equal(gate.due, false, "nothing was written");
    gate.wrote();
    gate.wrote();
    assert.equal(gate.due, true);
    const question = ask();
    assert.equal(String(question.buffer), "*3\r\n$4\r\nWAIT\r\n$1\r\n1\r\n$3\r\n250\r\n");
    assert.ok(gate.isQuestion(question));
    assert.equal(gate.due, false);
    assert.equal(gate.questions, 1);
  });

  it("gives everything that was held when a replica has the writes, in order", () => {
    gate.wrote();
    const question = ask();
    const [one, two] = [commands(3), commands(1)];
    hold(one, "+OK\r\n", ":7\r\n", "$1\r\nx\r\n");
    gate.holdMessage(Buffer.from(">1"));
    hold(two, "+OK\r\n");
    assert.equal(gate.holding, true);
    question.handler?.reply(yes);
    const replies = ["0+3 +OK\r\n:7\r\n$1\r\nx\r\n", "message >1", "0+1 +OK\r\n"];
    assert.deepEqual(opened, [{ confirmation: "confirmed", replies }]);
    assert.equal(gate.holding, false);
    assert.deepEqual(observed, ["confirmed"]);
  });

  it("keeps errors apart, and replies that came in different pieces", () => {
    gate.wrote();
    const question = ask();
    const run = commands(4);
    hold(run, "+OK\r\n", "-ERR no\r\n", ":2\r\n");
    hold(run, ":3\r\n");
    question.handler?.reply(yes);
    assert.deepEqual(opened[0]?.replies, ["0+1 +OK\r\n", "1+1 -ERR no\r\n", "2+1 :2\r\n", "3+1 :3\r\n"]);
  });

  for (const [what, reply] of [
    ["no replica has them", no],
    ["Redis refuses to tell", Buffer.from("-ERR WAIT cannot be used with replica instances.\r\n")],
    ["the answer is none of WAIT's", Buffer.from("+OK\r\n")],
  ] as const) {
    it(`confirms nothing when ${what}`, () => {
      gate.wrote();
      const question = ask();
      hold(commands(1), "+OK\r\n");
      question.handler?.reply(reply);
      assert.deepEqual(opened, [{ confirmation: "timeout", replies: ["0+1 +OK\r\n"] }]);
    });
  }

  for (const [answer, tooFew] of [
    [":2\r\n", 0],
    [":1\r\n", 1],
  ] as const) {
    it(`waits for all replicas a moment, then for one: the first answer is ${answer.trim()}`, () => {
      wanted = 2;
      gate.wrote();
      const [all, one] = gate.question();
      assert.equal(String(all?.buffer), "*3\r\n$4\r\nWAIT\r\n$1\r\n2\r\n$2\r\n50\r\n");
      assert.equal(String(one?.buffer), "*3\r\n$4\r\nWAIT\r\n$1\r\n1\r\n$3\r\n250\r\n");
      // An error is the only answer to a run, and there are two of them.
      assert.deepEqual([all?.left, one?.left], [1, 1]);
      hold(commands(1), "+OK\r\n");
      all?.handler?.reply(Buffer.from(answer));
      assert.equal(gate.holding, true, "one replica hasn't said so yet");
      assert.equal(missed, tooFew);
      one?.handler?.reply(yes);
      assert.deepEqual(opened, [{ confirmation: "confirmed", replies: ["0+1 +OK\r\n"] }]);
      assert.deepEqual(observed, ["confirmed"]);
    });
  }

  for (const [answer, confirmation] of [
    [":2\r\n", "confirmed"],
    [":1\r\n", "timeout"],
  ] as const) {
    it(`with redis:durability quorum asks for half of four replicas; so many have it: ${answer.trim()}`, () => {
      needed = 2;
      wanted = 4;
      make();
      gate.wrote();
      const [all, half] = gate.question();
      assert.equal(String(all?.buffer), "*3\r\n$4\r\nWAIT\r\n$1\r\n4\r\n$2\r\n50\r\n");
      assert.equal(String(half?.buffer), "*3\r\n$4\r\nWAIT\r\n$1\r\n2\r\n$3\r\n250\r\n");
      hold(commands(1), "+OK\r\n");
      all?.handler?.reply(Buffer.from(answer));
      half?.handler?.reply(Buffer.from(answer));
      assert.deepEqual(opened, [{ confirmation, replies: ["0+1 +OK\r\n"] }]);
      wanted = needed;
      gate.wrote();
      assert.equal(
        gate.question().length,
        1,
        "when some are slow, those that must have it are asked for at once",
      );
    });
  }

  it("has no more than two questions under way: a time-out holds up nobody for longer than three of them", () => {
    warmUp();
    for (let i = 0; i < 2; i++) {
      gate.wrote();
      assert.equal(gate.due, true);
      ask();
    }
    gate.wrote();
    assert.equal(gate.due, false);
  });

  it("asks for what was sent meanwhile when an answer has come", () => {
    warmUp();
    gate.wrote();
    const first = ask();
    gate.wrote();
    ask();
    gate.wrote();
    assert.equal(gate.due, false);
    first.handler?.reply(yes);
    assert.equal(gate.due, true);
  });

  it("doesn't ask before a write was executed while the master refuses writes", () => {
    warmUp();
    asksAhead = false;
    gate.wrote();
    assert.equal(gate.due, false);
    // A reply that is no refusal: somebody has to ask now.
    assert.equal(gate.hold(commands(1), Buffer.from("+OK\r\n")), true);
    ask();
    assert.equal(gate.hold(commands(1), Buffer.from("+OK\r\n")), false);
  });

  it("gives what is held back when the connection is lost", () => {
    gate.wrote();
    ask();
    hold(commands(2), "+OK\r\n", ":1\r\n");
    gate.lost();
    assert.deepEqual(opened, [{ confirmation: "lost", replies: ["0+2 +OK\r\n:1\r\n"] }]);
    assert.deepEqual(observed, ["lost"]);
    gate.lost();
    assert.equal(opened.length, 1, "twice");
  });
});
