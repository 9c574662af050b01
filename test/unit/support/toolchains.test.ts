import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type ClientName, prepareClient } from "../../support/toolchains.ts";

describe("prepareClient", () => {
  const path = process.env.PATH;
  afterEach(() => {
    process.env.PATH = path;
  });

  const tools: readonly (readonly [ClientName, RegExp])[] = [
    ["redis-py", /^python3 does not run/],
    ["go-redis", /^go does not run/],
    ["Jedis", /^javac does not run/],
    ["Lettuce", /^javac does not run/],
  ];
  for (const [name, reason] of tools) {
    it(`says which tool of ${name} is missing`, async () => {
      process.env.PATH = "/nowhere";
      assert.match((await prepareClient(name)).missing ?? "", reason);
    });
  }
});

describe("the dependency files of examples/", () => {
  const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
  const project = JSON.parse(read("package.json")) as Record<
    "dependencies" | "devDependencies",
    Record<string, string>
  >;

  for (const [folder, library] of [
    ["ioredis", "ioredis"],
    ["node-redis", "redis"],
  ] as const) {
    it(`${folder} names the version that the tests use`, () => {
      const sample = JSON.parse(read(`examples/${folder}/package.json`)) as typeof project;
      const used = { ...project.dependencies, ...project.devDependencies }[library];
      assert.deepEqual(sample.dependencies, { [library]: used });
    });
  }

  it("name exact versions", () => {
    assert.match(read("examples/redis-py/requirements.txt"), /^redis==\d/m);
    assert.match(
      read("examples/go-redis/go.mod"),
      /^require github\.com\/redis\/go-redis\/v9 v9\.\d+\.\d+$/m,
    );
    for (const folder of ["jedis", "lettuce"]) {
      const versions = [...read(`examples/${folder}/pom.xml`).matchAll(/<version>(.*?)<\/version>/g)];
      assert.ok(versions.length > 1);
      for (const [, version] of versions) assert.match(version ?? "", /^[\w.]+$/);
    }
  });
});
