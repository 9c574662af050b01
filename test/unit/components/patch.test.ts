import assert from "node:assert/strict";
import { applyPatch } from "../../../components/patch.ts";
import type { JsonObject } from "../../../settings/object-shapes.ts";

describe("applyPatch", () => {
  const target = {
    spec: { dnsPolicy: "None", containers: [{ name: "redis", image: "a", args: ["x", "y"] }] },
  };

  it("merges objects, and keeps what isn't patched", () => {
    assert.deepEqual(applyPatch(target, { spec: { schedulerName: "s" } }), {
      spec: { ...target.spec, schedulerName: "s" },
    });
  });

  it("takes objects without a prototype for objects: they merge, too", () => {
    const bare: JsonObject = Object.assign(Object.create(null), { schedulerName: "s" });
    assert.deepEqual(applyPatch(target, { spec: bare }), { spec: { ...target.spec, schedulerName: "s" } });
  });

  it("removes what is null", () => {
    assert.deepEqual(applyPatch(target, { spec: { dnsPolicy: null } }), {
      spec: { containers: target.spec.containers },
    });
  });

  it("merges lists of named things by their names, and replaces other lists", () => {
    const patch = { spec: { containers: [{ name: "redis", args: ["z"] }, { name: "more" }] } };
    assert.deepEqual(applyPatch(target, patch).spec.containers, [
      { name: "redis", image: "a", args: ["z"] },
      { name: "more" },
    ]);
  });

  it("changes nothing without a patch", () => {
    assert.equal(applyPatch(target, undefined), target);
  });
});
