import assert from "node:assert/strict";
import fc from "fast-check";
import { checkRegister, type RegisterOperation } from "../../../../workshop/chaos/linearizable.ts";

function write(value: string, sentMs: number, endedMs: number): RegisterOperation {
  return { kind: "write", value, sentMs, endedMs };
}

function read(value: string | undefined, sentMs: number, endedMs: number): RegisterOperation {
  return { kind: "read", value, sentMs, endedMs };
}

const never = Number.POSITIVE_INFINITY;

describe("checkRegister", () => {
  it("accepts what a register does, whatever overlaps", () => {
    assert.equal(checkRegister([]), "linearizable");
    assert.equal(checkRegister([read(undefined, 0, 1), write("a", 2, 3), read("a", 4, 5)]), "linearizable");
    assert.equal(
      checkRegister([write("a", 0, 10), write("b", 0, 10), read("b", 2, 4), read("a", 5, 8)]),
      "linearizable",
    );
  });

  it("finds a read of a value that was overwritten before it began", () => {
    assert.equal(checkRegister([write("a", 0, 1), write("b", 2, 3), read("a", 4, 5)]), "violated");
  });

  it("finds a lost write", () => {
    assert.equal(checkRegister([write("a", 0, 1), read(undefined, 2, 3)]), "violated");
  });

  it("finds a value that comes and goes and comes again", () => {
    const flicker = [write("a", 0, 1), write("b", 2, 20), read("b", 3, 4), read("a", 5, 6)];
    assert.equal(checkRegister(flicker), "violated");
  });

  it("lets a write without an answer take effect at any later time, or never, but not before it was sent", () => {
    const unknown = write("b", 2, never);
    assert.equal(
      checkRegister([write("a", 0, 1), unknown, read("a", 3, 4), read("b", 9, 10)]),
      "linearizable",
    );
    assert.equal(checkRegister([write("a", 0, 1), unknown, read("a", 9, 10)]), "linearizable");
    assert.equal(checkRegister([read("b", 0, 1), unknown]), "violated");
    assert.equal(checkRegister([write("a", 0, 1), unknown, read("b", 3, 4), read("a", 9, 10)]), "violated");
  });

  it("accepts every history of a real register with 16 clients, and none in which a read is swapped for an older value", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.nat(40), fc.nat(40)), { minLength: 20, maxLength: 200 }),
        (steps) => {
          const history: RegisterOperation[] = [];
          let value: string | undefined;
          // Each takes effect at its own moment, and is sent and answered up to 40 ms around it.
          for (const [i, [isWrite, before, after]] of steps.entries()) {
            const atMs = i * 5;
            if (isWrite) value = String(i);
            history.push({
              kind: isWrite ? "write" : "read",
              value,
              sentMs: atMs - before,
              endedMs: atMs + after,
            });
          }
          assert.equal(checkRegister(history), "linearizable");
          const late = steps.length * 5 + 100;
          const again = [
            write("x", late, late + 1),
            write("y", late + 2, late + 3),
            read("x", late + 4, late + 5),
          ];
          assert.equal(checkRegister([...history, ...again]), "violated");
        },
      ),
      { numRuns: 500 },
    );
  });
});
