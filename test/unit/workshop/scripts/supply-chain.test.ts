import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import packageJson from "../../../../package.json" with { type: "json" };

const project = fileURLToPath(new URL("../../../..", import.meta.url));
function read(...path: string[]): string {
  return readFileSync(join(project, ...path), "utf8");
}

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}
const locked = Object.entries(
  (JSON.parse(read("package-lock.json")) as { packages: Record<string, Locked> }).packages,
)
  .filter(([path]) => path !== "")
  .map(([path, entry]) => ({ path, name: path.replace(/^.*node_modules\//, ""), ...entry }));

describe("the supply chain", () => {
  it("names each direct dependency by its exact version", () => {
    for (const [name, version] of Object.entries({
      ...packageJson.dependencies,
      ...packageJson.devDependencies,
    })) {
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
    }
  });

  it("locks what npm installs by hash, from the registry alone", () => {
    assert.ok(locked.length > 100);
    for (const { path, integrity, resolved, link } of locked) {
      // The formatter's programs for other platforms, whose hashes no machine here has seen; they are never in an image.
      if (!/^node_modules\/@biomejs\/cli-/.test(path)) assert.match(integrity ?? "", /^sha512-/, path);
      assert.deepEqual([resolved, link], [undefined, undefined], path);
    }
  });

  it("lets only the packages that need it run a script when they are installed", () => {
    assert.deepEqual(Object.keys(packageJson.allowScripts).sort(), ["esbuild", "node"]);
    const asking = locked.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name);
    assert.deepEqual(asking.sort(), ["@pulumi/kubernetes", "esbuild", "node", "protobufjs"]);
  });

  it("downloads nothing while an image is built, and starts from exact tags or digests", () => {
    for (const folder of ["sentinel-image", "proxy"]) {
      const lines = read(folder, "Dockerfile").split("\n");
      const bases = lines.filter((line) => /^ARG \w+_IMAGE=/.test(line));
      assert.ok(bases.length > 0);
      for (const line of bases) {
        assert.match(line, /=[\w./-]+:\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$/, line);
      }
      for (const line of lines) assert.doesNotMatch(line, /^(RUN|ADD)\b/, line);
      for (const line of lines.filter((text) => text.startsWith("FROM")))
        assert.match(line, /\$\{\w+_IMAGE\}/);
    }
  });

  it("builds Go programs from modules with checksums", () => {
    const folder = join(project, "workshop", "cluster", "programs");
    for (const name of readdirSync(folder)) {
      const needs = /^require\b/m.test(read("workshop", "cluster", "programs", name, "go.mod"));
      assert.equal(existsSync(join(folder, name, "go.sum")), needs, name);
    }
  });

  it("has a bill of materials with every locked package and every base image", function () {
    this.timeout(60_000);
    const directory = mkdtempSync(join(tmpdir(), "redis-ha-sbom-"));
    try {
      const file = join(directory, "sbom.json");
      execFileSync(process.execPath, [join(project, "workshop", "scripts", "sbom.ts"), file], {
        stdio: "pipe",
      });
      const bill = JSON.parse(readFileSync(file, "utf8")) as {
        bomFormat: string;
        components: { name: string; version: string; type: string }[];
      };
      assert.equal(bill.bomFormat, "CycloneDX");
      const listed = new Set(bill.components.map(({ name, version }) => `${name}@${version}`));
      for (const [name, version] of Object.entries(packageJson.dependencies)) {
        assert.ok(listed.has(`${name}@${version}`), name);
      }
      const images = bill.components.filter(({ type }) => type === "container").map(({ name }) => name);
      assert.deepEqual(images.sort(), ["node", "redis", "valkey/valkey"]);
      // Packages that this platform doesn't install are missing: a few of hundreds.
      assert.ok(
        bill.components.length > locked.length * 0.5,
        `${bill.components.length} of ${locked.length}`,
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
