import assert from "node:assert/strict";
import { packageSchema, token } from "../../../../components/plugin/schema.ts";
import { allSettings } from "../../../../settings/parse-settings.ts";

interface Property {
  readonly type?: string;
  readonly $ref?: string;
  readonly items?: Property;
  readonly plain?: boolean;
  readonly description?: string;
  readonly secret?: boolean;
}
interface ObjectType {
  readonly properties?: Record<string, Property>;
  readonly enum?: { readonly name: string; readonly value: string }[];
  readonly required?: string[];
}

describe("the schema of Pulumi's package", () => {
  const { types, resources, version } = packageSchema("1.2.3") as {
    version: string;
    types: Record<string, ObjectType>;
    resources: Record<
      string,
      ObjectType & { inputProperties: Record<string, Property>; requiredInputs: string[] }
    >;
  };
  const component = resources[token];
  assert.ok(component);

  it("has every argument under its group, with meaning, range and default", () => {
    const described = Object.entries(component.inputProperties).flatMap(([key, { $ref, description }]) => {
      const group = types[$ref?.replace("#/types/", "") ?? ""];
      if (group?.properties === undefined) return [[`redis-ha:${key}`, description] as const];
      return Object.entries(group.properties).map(
        ([inner, property]) => [`${key}:${inner}`, property.description] as const,
      );
    });
    const revisions = ["images:sentinelRevision", "images:proxyRevision"];
    const keys = allSettings().flatMap(([name, { programOnly }]) => (programOnly ? [] : [name]));
    assert.deepEqual(described.map(([name]) => name).toSorted(), [...keys, ...revisions].toSorted());
    const bare = described.filter(
      ([name, text]) => !revisions.includes(name) && !/\n\nAllowed: .+\. Default: .+\.$/.test(text ?? ""),
    );
    assert.deepEqual(bare, []);
    assert.equal(version, "1.2.3");
  });

  it("needs the images alone, and only they may be outputs of something else", () => {
    assert.deepEqual(component.requiredInputs, ["images"]);
    assert.deepEqual(types["redis-ha:index:Images"]?.required, ["sentinel", "proxy"]);
    const groups = Object.values(component.inputProperties).map(
      ({ $ref }) => types[$ref?.replace("#/types/", "") ?? ""],
    );
    const properties = groups.flatMap((group) => Object.entries(group?.properties ?? {}));
    const open = properties.flatMap(([key, { plain, $ref }]) =>
      plain || $ref === "pulumi.json#/Any" ? [] : [key],
    );
    assert.deepEqual(open, ["sentinel", "proxy", "sentinelRevision", "proxyRevision"]);
    assert.ok(Object.values(component.inputProperties).every(({ plain }) => plain));
  });

  it("has words for choices, whole numbers, and lists", () => {
    assert.deepEqual(types["redis-ha:index:RedisDurability"]?.enum, [
      { name: "Async", value: "async" },
      { name: "Sync", value: "sync" },
      { name: "Quorum", value: "quorum" },
    ]);
    assert.deepEqual(types["redis-ha:index:RedisMaxmemoryPolicy"]?.enum?.[1], {
      name: "AllkeysLru",
      value: "allkeys-lru",
    });
    assert.equal(types["redis-ha:index:Redis"]?.properties?.instances?.type, "integer");
    assert.deepEqual(types["redis-ha:index:Tls"]?.properties?.hostnames?.items, {
      type: "string",
      plain: true,
    });
    assert.equal(
      types["redis-ha:index:Redis"]?.properties?.users?.items?.$ref,
      "#/types/redis-ha:index:User",
    );
  });

  it("keeps what holds a password secret", () => {
    const secret = Object.entries(component.properties ?? {}).flatMap(([name, { secret }]) =>
      secret ? [name] : [],
    );
    assert.deepEqual(secret, ["users", "password", "connectionString"]);
  });

  it("refers to nothing that it doesn't have", () => {
    const references = [...JSON.stringify({ types, resources }).matchAll(/"\$ref":"#\/types\/([^"]+)"/g)].map(
      ([, name]) => name,
    );
    assert.ok(references.length > 10);
    assert.deepEqual(
      references.filter((name) => types[name ?? ""] === undefined),
      [],
    );
  });
});
