import assert from "node:assert/strict";
import fc from "fast-check";
import {
  compare,
  parseUrn,
  unknownValue,
} from "../../../../../workshop/cluster/providers/provider-program.ts";

describe("compare", () => {
  const rows: readonly (readonly [string, unknown, unknown, readonly [string, string][]])[] = [
    ["no difference", { a: [1, { b: "x" }] }, { a: [1, { b: "x" }] }, []],
    ["a changed value", { spec: { replicas: 1 } }, { spec: { replicas: 2 } }, [["spec.replicas", "update"]]],
    [
      "a new and a missing key",
      { a: 1 },
      { b: 1 },
      [
        ["a", "delete"],
        ["b", "add"],
      ],
    ],
    ["absent and null as the same", { a: null }, { b: undefined }, []],
    ["a longer list", { l: [1] }, { l: [1, 2] }, [["l[1]", "add"]]],
    [
      "a shorter list",
      { l: [{ n: 1 }, 2] },
      { l: [{ n: 3 }] },
      [
        ["l[0].n", "update"],
        ["l[1]", "delete"],
      ],
    ],
    ["another kind of value", { a: [1] }, { a: { 0: 1 } }, [["a", "update"]]],
    ["text and number as different", { a: "1" }, { a: 1 }, [["a", "update"]]],
    [
      "false, 0 and empty text as values",
      { a: 0, b: false, c: "" },
      {},
      [
        ["a", "delete"],
        ["b", "delete"],
        ["c", "delete"],
      ],
    ],
    ["keys that are no names", { "a.b/c": 1 }, { "a.b/c": 2 }, [['["a.b/c"]', "update"]]],
    ["what isn't known yet as changed", { a: 1 }, { a: unknownValue }, [["a", "update"]]],
  ];
  for (const [name, old, now, expected] of rows) {
    it(`sees ${name}`, () => {
      assert.deepEqual(
        compare(old, now).map(({ path, kind }) => [path, kind]),
        expected,
      );
    });
  }

  it("finds none between equal values and some between different ones", () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const withoutNulls = (json: unknown): string =>
      JSON.stringify(json, (_, item: unknown) => (item === null ? undefined : item));
    fc.assert(
      fc.property(value, (json) => {
        assert.deepEqual(compare(json, structuredClone(json)), []);
      }),
    );
    fc.assert(
      fc.property(value, value, (a, b) => {
        if (compare(a, b).length > 0) assert.notEqual(JSON.stringify(a), JSON.stringify(b));
        else assert.equal(sortKeys(withoutNulls(a)), sortKeys(withoutNulls(b)));
      }),
    );
  });
});

/** Lists without their nulls and empty ends, objects by key: two texts are equal when no property differs. */
function sortKeys(text: string | undefined): string {
  if (text === undefined) return "";
  const sort = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sort);
    if (typeof value !== "object" || value === null) return Object.is(value, -0) ? 0 : value;
    return Object.fromEntries(
      Object.entries(value)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => [key, sort(item)]),
    );
  };
  return JSON.stringify(sort(JSON.parse(text)))
    .replaceAll(/(,null)+\]/g, "]")
    .replaceAll(/\[null\]/g, "[]");
}

describe("parseUrn", () => {
  it("takes type and name from below any component", () => {
    const urn = "urn:pulumi:dev::redis-ha::redis-ha:index:Volumes$kubernetes:core/v1:Namespace::name::space";
    assert.deepEqual(parseUrn(urn), { urn, type: "kubernetes:core/v1:Namespace", name: "name::space" });
    assert.equal(parseUrn("urn:pulumi:dev::p::docker:index/image:Image::i").type, "docker:index/image:Image");
  });
});
