import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { baseImagesOf } from "../../../../workshop/cluster/base-images.ts";

describe("baseImagesOf", () => {
  it("finds the images that a Dockerfile starts from, and no other argument", () => {
    const text = "ARG REDIS_IMAGE=redis:8\nARG LEVEL=3\n# ARG OLD_IMAGE=x\nARG NODE_IMAGE=node:26\nFROM x\n";
    assert.deepEqual(
      [...baseImagesOf(text)],
      [
        ["REDIS_IMAGE", "redis:8"],
        ["NODE_IMAGE", "node:26"],
      ],
    );
    assert.deepEqual([...baseImagesOf("FROM redis:8\n")], []);
  });

  for (const [file, names] of [
    ["sentinel-image", ["REDIS_IMAGE", "VALKEY_IMAGE", "NODE_IMAGE"]],
    ["proxy", ["NODE_IMAGE"]],
  ] as const) {
    it(`knows every image of ${file}/Dockerfile: a FROM that it doesn't know could not be replaced`, () => {
      const text = readFileSync(new URL(`../../../../${file}/Dockerfile`, import.meta.url), "utf8");
      assert.deepEqual([...baseImagesOf(text).keys()], [...names]);
      const used = [...text.matchAll(/^FROM \$\{(\w+)\}/gm)].map(([, name]) => name);
      // The other engine's base takes the place of the first one.
      const bases = names.filter((name) => name !== "VALKEY_IMAGE");
      assert.deepEqual(used.toSorted(), bases.toSorted());
      assert.equal(used.length, [...text.matchAll(/^FROM /gm)].length);
    });
  }
});
