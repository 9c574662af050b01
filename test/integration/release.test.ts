import assert from "node:assert/strict";
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import packageJson from "../../package.json" with { type: "json" };

const project = fileURLToPath(new URL("../..", import.meta.url));
const { version } = packageJson;

describe("make release", function () {
  this.timeout(120_000);
  let clone: string;

  beforeEach(async () => {
    clone = mkdtempSync(join(tmpdir(), "redis-ha-release-"));
    const apart = new Set(["node_modules", ".git", ".redis-ha"]);
    cpSync(project, clone, { recursive: true, filter: (path) => !apart.has(basename(path)) });
    symlinkSync(join(project, "node_modules"), join(clone, "node_modules"));
    const changelog = readFileSync(join(clone, "CHANGELOG.md"), "utf8").replace(
      /^## \[?\d.*$/gm,
      "## earlier",
    );
    writeFileSync(join(clone, "CHANGELOG.md"), changelog.replace("## Unreleased", `## ${version}`));
    await git("init", "--quiet");
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "everything");
  });

  afterEach(() => rmSync(clone, { recursive: true, force: true }));

  it("refuses, with each reason and its cure, before it makes anything", async () => {
    await git("tag", `v${version}`);
    const changelog = readFileSync(join(clone, "CHANGELOG.md"), "utf8");
    writeFileSync(join(clone, "CHANGELOG.md"), changelog.replace(`## ${version}`, "## Unreleased"));
    const { exitCode, stderr } = await release("--check", "touch checked");
    assert.equal(exitCode, 1);
    assert.equal(
      stderr,
      `${version} can't be released. Nothing was made.
  - The working tree has changes (CHANGELOG.md): commit or remove them.
  - The tag v${version} exists: raise the version in package.json.
  - CHANGELOG.md has nothing under '## ${version}': move what is new from '## Unreleased' to there.`,
    );
    assert.ok(!readdirSync(clone).includes("checked"));
  });

  it("makes nothing when a check fails", async () => {
    const { exitCode, stderr } = await release("--check", "exit 3");
    assert.equal(exitCode, 1);
    assert.equal(stderr, "'exit 3' failed: nothing was made.");
    assert.equal(await git("tag"), "");
  });

  it("packs, sums up, and tags only without --dry-run", async () => {
    const out = join(clone, ".redis-ha", "out");
    const dry = await release("--dry-run", "--check", "true", "--out", out);
    assert.equal(dry.exitCode, 0, dry.stderr);
    assert.deepEqual(readdirSync(out), [
      "NOTES.md",
      "SHA256SUMS",
      `pulumi-resource-redis-ha-v${version}.tar.gz`,
      `redis-ha-${version}.cdx.json`,
      `redis-ha-${version}.tgz`,
      "release.json",
    ]);
    const sums = await execa("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: out });
    assert.equal(sums.stdout.split("\n").length, 5);
    const plugin = await execa("tar", ["-tf", join(out, `pulumi-resource-redis-ha-v${version}.tar.gz`)]);
    for (const file of ["./PulumiPlugin.yaml", "./package.json", "./components/plugin/main.js"])
      assert.ok(plugin.stdout.split("\n").includes(file), file);
    const told = JSON.parse(readFileSync(join(out, "release.json"), "utf8")) as Record<string, string>;
    assert.deepEqual(told, { version, commit: await git("rev-parse", "HEAD"), check: "true" });
    assert.ok(readFileSync(join(out, "NOTES.md"), "utf8").length > 100);
    assert.equal(await git("tag"), "");
  });

  it("takes no tag for what has changed meanwhile", async () => {
    appendFileSync(join(clone, "workshop/scripts/package.ts"), "process.exit(0);\n");
    await git("commit", "--quiet", "--all", "--message", "a check that changes what it checks");
    const { exitCode, stderr } = await release("--check", "echo >> README.md");
    assert.equal(exitCode, 1);
    assert.match(stderr, /has changed meanwhile: there is no tag/);
    assert.equal(await git("tag"), "");
  });

  async function release(...args: string[]): Promise<{ exitCode: number | undefined; stderr: string }> {
    const script = join(clone, "workshop/scripts/release.ts");
    const { exitCode, stderr } = await execa(process.execPath, [script, ...args], {
      cwd: clone,
      env: identity,
      reject: false,
    });
    return { exitCode, stderr };
  }

  async function git(...args: string[]): Promise<string> {
    return (await execa("git", args, { cwd: clone, env: identity })).stdout;
  }
});

/** Nobody's configuration decides. */
const identity = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_NAME: "test",
  GIT_AUTHOR_EMAIL: "test@example.com",
  GIT_COMMITTER_NAME: "test",
  GIT_COMMITTER_EMAIL: "test@example.com",
};
