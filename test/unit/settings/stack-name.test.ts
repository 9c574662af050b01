import assert from "node:assert/strict";
import fc from "fast-check";
import { defaultName, stackLabel } from "../../../settings/stack-name.ts";

const label = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const namespace = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const long = "a-very-long-name-of-a-stack-that-somebody-has-put-together-from-branch-and-region";

describe("the name of a stack", () => {
  it("is its label wherever it can be one, and its namespace is called as ever", () => {
    for (const [stack, name] of [
      ["dev", "redis-ha-dev"],
      ["Dev", "redis-ha-dev"],
      ["feature.x_y", "redis-ha-feature-x-y"],
      ["a".repeat(63), `redis-ha-${"a".repeat(54)}`],
    ] as const) {
      assert.deepEqual([stackLabel(stack), defaultName(stack)], [stack, name]);
    }
  });

  it("is mapped where it can't be a label", () => {
    assert.equal(stackLabel("v1."), "v1-d146c29a");
    assert.equal(defaultName("_"), `redis-ha-${stackLabel("_")}`);
    assert.equal(defaultName(long), `redis-ha-${stackLabel(long)}`);
  });

  it("gives valid names for whatever Pulumi allows, and different ones for what had to be mapped", () => {
    const stacks = fc.stringMatching(/^[A-Za-z0-9_.-]{1,100}$/);
    fc.assert(
      fc.property(stacks, stacks, (one, other) => {
        assert.match(stackLabel(one), label);
        assert.match(defaultName(one), namespace);
        if (one !== other) assert.notEqual(stackLabel(one), stackLabel(other));
      }),
    );
    for (const end of ["x", "y"]) assert.match(stackLabel(`${long}${end}`), label);
    assert.notEqual(defaultName(`${long}x`), defaultName(`${long}y`));
  });
});
