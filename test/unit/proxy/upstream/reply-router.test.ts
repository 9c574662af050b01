import assert from "node:assert/strict";
import type { Rejection } from "../../../../proxy/upstream/rejection.ts";
import { rejectionOf } from "../../../../proxy/upstream/rejection.ts";
import { ReplyRouter } from "../../../../proxy/upstream/reply-router.ts";
import {
  type ReplyHandler,
  type ReplyReceiver,
  Run,
  type Translation,
} from "../../../../proxy/upstream/run.ts";
import { RunQueue } from "../../../../proxy/upstream/run-queue.ts";

const readonly = "-READONLY You can't write against a read only replica.\r\n";

/** A client that writes down what it is told. */
class Receiver implements ReplyReceiver {
  rewinding = false;
  program = false;
  decide: ((refused: boolean) => void) | undefined;
  readonly #name: string;
  readonly #told: string[];

  constructor(name: string, told: string[]) {
    this.#name = name;
    this.#told = told;
  }

  #say(text: string): void {
    this.#told.push(`${this.#name} ${text}`.replaceAll("\r\n", "|"));
  }
  forward(bytes: Buffer, count: number): void {
    this.#say(`${count}: ${bytes}`);
  }
  forwardPieces(pieces: readonly Buffer[]): void {
    this.#say(`pieces: ${pieces.map(String).join(" + ")}`);
  }
  forwardPart(pieces: readonly Buffer[]): void {
    this.#say(`part of ${pieces.reduce((sum, { length }) => sum + length, 0)}`);
  }
  rewind(_run: Run, index: number, reply: Buffer, rejected: boolean): void {
    this.rewinding = true;
    this.#say(`${rejected ? "refused" : "behind"} ${index}: ${reply}`);
  }
  choosesErrors(): boolean {
    return this.program;
  }
  doubt(_run: Run, index: number): (refused: boolean) => void {
    this.#say(`doubts ${index}`);
    return (refused) => this.#say(`decided ${index}: ${refused}`);
  }
  mayWrite(): boolean {
    return true;
  }
  unconfirmed(_run: Run, index: number, _reply: Buffer, confirmation: string): Buffer {
    return Buffer.from(`-UNCERTAIN ${index} ${confirmation}\r\n`);
  }
  lost(_run: Run, sent: boolean, term: number): void {
    this.#say(`lost, ${sent ? "sent" : "unsent"} to ${term}`);
  }
  broken(): void {
    this.#say("broken");
  }
  settle(): void {
    this.#say("settled");
  }
}

describe("ReplyRouter", () => {
  let told: string[];
  let runs: RunQueue;
  let a: Receiver;
  let b: Receiver;
  let router: ReplyRouter;
  let proofs: ((rejection: Rejection | undefined) => void)[];

  const make = (durable = false): ReplyRouter =>
    new ReplyRouter(
      runs,
      durable
        ? {
            timeoutMs: 100,
            asksAhead: () => true,
            needed: 1,
            wanted: () => 1,
            missed: ignore,
            observe: ignore,
          }
        : undefined,
      {
        rejects: rejectionOf,
        looksLikeRejection: (reply) => rejectionOf(reply) !== undefined,
        prove: (_reply, done) => proofs.push(done),
        reject: (rejection) => told.push(`rejected ${rejection}`),
        fail: (message) => told.push(`failed: ${message}`),
        send: (question) => runs.push(question),
        schedule: () => told.push("scheduled"),
      },
    );
  beforeEach(() => {
    told = [];
    proofs = [];
    runs = new RunQueue();
    a = new Receiver("a", told);
    b = new Receiver("b", told);
    router = make();
  });

  const send = (receiver: ReplyReceiver | undefined, count = 1, more: RunOptions = {}): void => {
    const run = new Run(receiver, more.handler, undefined, nothing, 0, 0, count, more.writes === true);
    run.translation = more.translation;
    runs.push(run);
  };
  const receive = (...pieces: string[]): string[] => {
    for (const piece of pieces) router.receive(Buffer.from(piece));
    return told.splice(0);
  };
  const handler = (name: string): ReplyHandler => ({
    reply: (bytes) => told.push(`${name}: ${bytes.toString().trim()}`),
    lost: (sent, term) => told.push(`${name} lost ${sent} ${term}`),
  });

  it("gives each client its replies, those that stand next to each other at once", () => {
    send(a, 3);
    send(b);
    send(a);
    assert.deepEqual(receive("+1\r\n+2\r\n+3\r\n+4\r\n$1\r\n5\r\n"), [
      "a 3: +1|+2|+3|",
      "b 1: +4|",
      "a 1: $1|5|",
      "a settled",
      "b settled",
    ]);
    assert.equal(runs.length, 0);
  });

  it("puts no reply together that came in pieces", () => {
    send(a, 2);
    assert.deepEqual(receive("+1\r\n$4\r\nab", "cd\r\n"), [
      "a 1: +1|",
      "a settled",
      "a pieces: $4|ab + cd|",
      "a settled",
    ]);
  });

  it("takes a command back that was refused, and what comes behind it", () => {
    send(a, 3);
    send(b);
    assert.deepEqual(receive(`+1\r\n${readonly}+3\r\n+4\r\n`), [
      "a 1: +1|",
      "a refused 1: -READONLY You can't write against a read only replica.|",
      "rejected READONLY",
      "a behind 2: +3|",
      "b 1: +4|",
      "a settled",
      "b settled",
    ]);
  });

  it("doubts a refusal that a program may have made up, and gives it at once when it isn't in Redis' words", () => {
    a.program = true;
    send(a, 2);
    assert.deepEqual(receive(`-READONLY by me\r\n${readonly}`), [
      "a 1: -READONLY by me|",
      "a doubts 1",
      "a settled",
    ]);
    proofs[0]?.(undefined);
    assert.deepEqual(told.splice(0), ["a decided 1: false"]);
    send(a);
    receive(readonly);
    proofs[1]?.("READONLY");
    assert.deepEqual(told.splice(0), ["rejected READONLY", "a decided 0: true"]);
  });

  it("gives handlers their replies one by one; an error is the only one of several", () => {
    send(a, 2, { handler: handler("own") });
    send(a, 3, { handler: handler("subscribe") });
    send(undefined, 1);
    send(b);
    assert.deepEqual(receive("+1\r\n+2\r\n-ERR no\r\n+nobody\r\n+4\r\n"), [
      "own: +1",
      "own: +2",
      "subscribe: -ERR no",
      "b 1: +4|",
      "a settled",
      "b settled",
    ]);
  });

  it("gives what stands for a reply instead of it", () => {
    const translation = { answered: (reply: Buffer) => Buffer.from(`+not ${reply.toString("latin1", 1)}`) };
    send(a, 1, { translation: translation as Translation });
    send(a);
    assert.deepEqual(receive("+1\r\n+2\r\n"), ["a 1: +not 1|", "a 1: +2|", "a settled"]);
  });

  it("tells messages from replies", () => {
    const messages: string[] = [];
    router.giveTo(a, (frame) => messages.push(frame.toString()));
    send(a);
    assert.deepEqual(receive(">2\r\n+x\r\n+y\r\n+1\r\n"), ["a 1: +1|", "a settled"]);
    router.tellApart((frame) => frame[0] === 42);
    send(a);
    assert.deepEqual(receive("*1\r\n+m\r\n+2\r\n"), ["a 1: +2|", "a settled"]);
    assert.deepEqual(messages, [">2\r\n+x\r\n+y\r\n", "*1\r\n+m\r\n"]);
  });

  it("fails at bytes that nobody asked for, and at those that are no reply", () => {
    assert.deepEqual(receive("+1\r\n"), ["failed: the server sent a reply that nobody asked for"]);
    send(a);
    assert.match(String(receive("what?\r\n")[0]), /^failed: /);
  });

  it("passes a big reply on before it is complete; a loss in its middle is the client's", () => {
    const size = 6 * 2 ** 20;
    send(a, 2);
    const [first, second] = [`$${size}\r\n${"x".repeat(size - 10)}`, "x".repeat(10)];
    const parts = receive(first, second, "\r\n+2\r\n");
    assert.equal(parts[0], `a part of ${first.length}`);
    assert.equal(parts.at(-2), "a 1: +2|");
    const passed = parts.map((line) => Number(/part of (\d+)/.exec(line)?.[1] ?? 0)).reduce((x, y) => x + y);
    assert.ok(passed >= first.length && passed <= first.length + 12, `${passed} of ${first.length + 12}`);
    assert.ok(!router.inPart);
    send(a);
    receive(first);
    assert.ok(router.inPart);
    send(b);
    router.handBack(1, 7);
    assert.deepEqual(told.splice(0), ["a broken", "b lost, unsent to 7"]);
  });

  it("hands back what is in flight when the connection is lost, and says of each whether it was sent", () => {
    send(a, 2);
    send(undefined, 1, { handler: handler("own") });
    send(b);
    receive("+1\r\n");
    router.handBack(1, 3);
    router.settle();
    assert.deepEqual(told.splice(0), [
      "a lost, sent to 3",
      "own lost true 3",
      "b lost, unsent to 3",
      "a settled",
      "b settled",
    ]);
    assert.equal(runs.length, 0);
  });

  describe("with redis:durability sync", () => {
    beforeEach(() => {
      router = make(true);
    });

    it("holds a write's reply and what is behind it until a replica has it", () => {
      send(a, 1, { writes: true });
      send(b);
      assert.deepEqual(receive("+1\r\n+2\r\n"), []);
      assert.deepEqual(receive(":1\r\n"), ["a 1: +1|", "b 1: +2|", "a settled", "b settled"]);
    });

    it("tells who wrote that nobody has confirmed it; an error is nothing that could be lost", () => {
      send(a, 1, { writes: true });
      assert.deepEqual(receive("-ERR no\r\n"), ["a 1: -ERR no|", "a settled"]);
      send(a, 1, { writes: true });
      receive("+1\r\n");
      assert.deepEqual(receive(":0\r\n"), ["a 1: -UNCERTAIN 0 timeout|", "a settled"]);
      send(a, 1, { writes: true });
      receive("+1\r\n");
      router.handBack(0, 1);
      assert.deepEqual(told.splice(0), ["a behind 0: -UNCERTAIN 0 lost|"]);
    });
  });
});

const nothing = Buffer.alloc(0);
const ignore = (): void => undefined;

interface RunOptions {
  readonly handler?: ReplyHandler;
  readonly translation?: Translation;
  readonly writes?: boolean;
}
