import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const project = fileURLToPath(new URL("../..", import.meta.url));

/** For each import from one room into another, whether the project's linter refuses it. */
async function refused(imports: readonly (readonly [from: string, to: string])[]): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), "redis-ha-rooms-"));
  try {
    copyFileSync(join(project, "biome.json"), join(directory, "biome.json"));
    for (const [from, to] of imports) {
      mkdirSync(join(directory, from, to), { recursive: true });
      writeFileSync(join(directory, from, to, "sample.ts"), `export { a } from "../../${to}/b.ts";\n`);
    }
    const { stdout } = await execa(
      "biome",
      ["lint", "--only=style/noRestrictedImports", "--reporter=github"],
      {
        cwd: directory,
        reject: false,
      },
    );
    return imports
      .filter(([from, to]) => stdout.includes(`/${from}/${to}/sample.ts,`))
      .map(([from, to]) => `${from} → ${to}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe("the rooms of the project", function () {
  this.timeout(60_000);

  it("import none above them: `npm run check` says so", async () => {
    const above = [
      ["runtime", "quorum"],
      ["quorum", "proxy"],
      ["settings", "components"],
      ["proxy", "settings"],
      ["sentinel-image", "components"],
      ["components", "cli"],
      ["policy", "components"],
      ["cli", "workshop"],
    ] as const;
    const allowed = [
      ["quorum", "runtime"],
      ["proxy", "quorum"],
      ["sentinel-image", "quorum"],
      ["components", "settings"],
      ["components", "policy"],
      ["cli", "components"],
      ["workshop", "cli"],
    ] as const;
    assert.deepEqual(
      await refused([...above, ...allowed]),
      above.map(([from, to]) => `${from} → ${to}`),
    );
  });

  it("are at most twelve folders", () => {
    const folders = readdirSync(project, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules",
    );
    assert.ok(folders.length <= 12, folders.map(({ name }) => name).join(", "));
  });
});
