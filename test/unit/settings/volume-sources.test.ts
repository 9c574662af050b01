import assert from "node:assert/strict";
import { allowedVolumes } from "../../../policy/rules/restricted-pods.ts";
import { volumeSources } from "../../../settings/object-shapes.ts";

describe("the sources of volumes that a setting takes", () => {
  // Neither room may import the other: the policy pack is a program of its own.
  it("are those that the policy allows", () => assert.deepEqual([...allowedVolumes], [...volumeSources]));
});
