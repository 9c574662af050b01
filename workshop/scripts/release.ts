// Makes a release of what is committed: checks, packages, bill of materials, checksums, tag. Nothing is pushed anywhere.
// make release, or node workshop/scripts/release.ts --help
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { execa } from "execa";
import { problemsOfRelease, releaseNotes, tagOf } from "./judge-release.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));
const allChecks = "node test/run.ts";

interface Options {
  readonly dryRun: boolean;
  readonly check: string;
  readonly out: string;
}

const command = new Command("release")
  .description("Checks what is committed, packs it and tags it. Nothing is pushed anywhere.")
  .option("--dry-run", "do everything but the tag", false)
  .option(
    "--check <command>",
    "what has to succeed first, instead of all checks and tests; release.json names it",
    allChecks,
  )
  .option(
    "--out <directory>",
    "where the files go; what is there is removed",
    join(project, ".redis-ha", "release"),
  )
  .action(release);
await command.parseAsync();

async function release({ dryRun, check, out }: Options): Promise<void> {
  const read = (file: string): string => readFileSync(join(project, file), "utf8");
  const { version } = JSON.parse(read("package.json")) as { version: string };
  const { version: lockedVersion } = JSON.parse(read("package-lock.json")) as { version: string };
  const changelog = read("CHANGELOG.md");
  const problems = problemsOfRelease({
    version,
    lockedVersion,
    changelog,
    changed: await lines("git", "status", "--porcelain"),
    tags: await lines("git", "tag", "--list"),
  });
  if (problems.length > 0) {
    const told = problems.map((problem) => `  - ${problem}`).join("\n");
    return fail(`${version} can't be released. Nothing was made.\n${told}`);
  }
  const [commit = ""] = await lines("git", "rev-parse", "HEAD");
  say(`${version} of ${commit}: ${check}`);
  const checked = await execa(check, {
    cwd: project,
    shell: true,
    stdio: ["ignore", "inherit", "inherit"],
    reject: false,
  });
  if (checked.exitCode !== 0) return fail(`'${check}' failed: nothing was made.`);

  const directory = resolve(out);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const script = (name: string, target: string): Promise<unknown> =>
    run(process.execPath, join(project, "workshop/scripts", name), target);
  await script("package.ts", directory);
  // Pulumi wants a plugin's files at the top of the tarball.
  const plugin = `pulumi-resource-redis-ha-v${version}.tar.gz`;
  const folder = join(directory, "package");
  await run("tar", "--create", "--gzip", "--file", join(directory, plugin), "--directory", folder, ".");
  rmSync(folder, { recursive: true });
  await script("sbom.ts", join(directory, `redis-ha-${version}.cdx.json`));
  const notes = releaseNotes(changelog, version) ?? "";
  writeFileSync(join(directory, "NOTES.md"), `${notes}\n`);
  writeFileSync(join(directory, "release.json"), `${JSON.stringify({ version, commit, check }, null, 2)}\n`);
  const files = readdirSync(directory).toSorted();
  const sums = files.map((file) => `${sha256(join(directory, file))}  ${file}\n`);
  writeFileSync(join(directory, "SHA256SUMS"), sums.join(""));

  const [now = ""] = await lines("git", "rev-parse", "HEAD");
  const changed = await lines("git", "status", "--porcelain");
  if (now !== commit || changed.length > 0)
    return fail("The working tree has changed meanwhile: there is no tag. Run it again.");
  if (!dryRun)
    await run(
      "git",
      "tag",
      "--annotate",
      tagOf(version),
      "--message",
      `redis-ha ${version}\n\n${notes}`,
      commit,
    );
  say(`${files.length + 1} files in ${directory}`);
  say(
    dryRun
      ? `no tag: --dry-run`
      : `tagged ${tagOf(version)}; to publish it: git push origin ${tagOf(version)}`,
  );
}

async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await execa(program, args, { cwd: project, stdin: "ignore", timeout: 600_000 });
  return stdout;
}

async function lines(program: string, ...args: string[]): Promise<string[]> {
  return (await run(program, ...args)).split("\n").filter((line) => line !== "");
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fail(text: string): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
