import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { basename, delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import { cacheDirectory } from "../../workshop/cluster/places.ts";

/** How to start a program of examples/, or why that is not possible on this machine. */
export type Prepared =
  | { readonly command: string; readonly args: readonly string[]; readonly missing?: never }
  | { readonly missing: string };

/** Something that this machine lacks: no fault of the program. */
class Missing extends Error {}

const mavenPlugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
const buildWithinMs = 240_000;

/** The programs of examples/, each with what makes it runnable. */
const preparations = {
  ioredis: async () => nodeProgram("ioredis"),
  "node-redis": async () => nodeProgram("node-redis"),
  "redis-py": () => pythonProgram("redis-py"),
  "go-redis": () => goProgram("go-redis"),
  Jedis: () => javaProgram("jedis"),
  Lettuce: () => javaProgram("lettuce"),
} as const;

/** Name of a client library that has a program in examples/. */
export type ClientName = keyof typeof preparations;

export const clientNames = Object.keys(preparations) as readonly ClientName[];

/**
 * Finds the client's toolchain and builds its program, or finds it in the cache, whose keys are hashes of everything that
 * decides the result. What it fetches are the exact versions that the program's own dependency file names.
 *
 * @returns the command, or what is missing: a toolchain, or the network to fetch the client from.
 * @throws {Error} when the toolchain is there and the program can't be built.
 */
export async function prepareClient(name: ClientName): Promise<Prepared> {
  return orMissing(preparations[name]);
}

/** A Python that has Celery and RQ, and runs modules: test/clients/workers. @throws {Error} as {@link prepareClient}. */
export function prepareWorkers(): Promise<Prepared> {
  return orMissing(async () => {
    const requirements = fileURLToPath(new URL("../clients/workers/requirements.txt", import.meta.url));
    const environment = await pythonEnvironment("workers", requirements);
    return { command: join(environment, "bin", "python"), args: ["-B", "-m"] };
  });
}

/** A program that adds BullMQ's flows: test/clients/flows. @throws {Error} as {@link prepareClient}. */
export function prepareFlows(): Promise<Prepared> {
  return orMissing(async () => {
    const source = fileURLToPath(new URL("../clients/flows", import.meta.url));
    const files = ["flows.js", "package.json", "package-lock.json"];
    const contents = files.map((file) => readFileSync(join(source, file)));
    const target = await cached("flows", [process.version, ...contents], async (place) => {
      for (const file of files) copyFileSync(join(source, file), join(place, file));
      await run(
        "npm",
        ["ci", "--prefix", place, "--ignore-scripts", "--no-audit", "--no-fund"],
        "install BullMQ",
      );
    });
    return { command: process.execPath, args: [join(target, "flows.js")] };
  });
}

async function orMissing(prepare: () => Promise<Prepared> | Prepared): Promise<Prepared> {
  try {
    return await prepare();
  } catch (error) {
    if (error instanceof Missing) return { missing: error.message };
    throw error;
  }
}

/** Its library is installed with this project's packages. */
function nodeProgram(folder: string): Prepared {
  return { command: process.execPath, args: [join(directoryOf(folder), "sample.ts")] };
}

async function pythonProgram(folder: string): Promise<Prepared> {
  const environment = await pythonEnvironment(folder, join(directoryOf(folder), "requirements.txt"));
  // -B: no compiled files in the checkout.
  return {
    command: join(environment, "bin", "python"),
    args: ["-B", join(directoryOf(folder), "sample.py")],
  };
}

/** A virtual environment with exactly what a file names. */
async function pythonEnvironment(name: string, requirements: string): Promise<string> {
  const version = await toolVersion("python3", ["-VV"], "Python 3.10 or newer");
  return cached(name, [version, readFileSync(requirements)], async (target) => {
    await run(
      "python3",
      ["-m", "venv", target],
      "create a virtual environment (apt-get install python3-venv)",
    );
    await run(
      join(target, "bin", "python"),
      [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
        requirements,
      ],
      "install the packages",
    );
  });
}

async function goProgram(folder: string): Promise<Prepared> {
  const version = await toolVersion("go", ["version"], "Go 1.26 or newer");
  const source = directoryOf(folder);
  const program = await cached(folder, [version, ...filesIn(source)], (target) =>
    run(
      "go",
      ["build", "-C", source, "-mod=readonly", "-o", join(target, "sample"), "."],
      "build the program",
    ),
  );
  return { command: join(program, "sample"), args: [] };
}

async function javaProgram(folder: string): Promise<Prepared> {
  const version = await toolVersion("javac", ["-version"], "a JDK, 17 or newer");
  await toolVersion("java", ["-version"], "a JDK, 17 or newer");
  const source = directoryOf(folder);
  const program = await cached(folder, [version, mavenPlugin, ...filesIn(source)], async (target) => {
    await toolVersion("mvn", ["--version"], "Maven");
    const pom = join(source, "pom.xml");
    const jars = join(target, "jars");
    const options = [`-DoutputDirectory=${jars}`, "-DincludeScope=runtime"];
    await run("mvn", ["--quiet", "--batch-mode", "--file", pom, mavenPlugin, ...options], "fetch the jars");
    const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((f) =>
      f.endsWith(".java"),
    );
    const classes = [
      "--release",
      "17",
      "-Xlint:all",
      "-Werror",
      "-cp",
      join(jars, "*"),
      "-d",
      join(target, "classes"),
    ];
    await run("javac", [...classes, ...files.map((file) => join(source, file))], "compile");
  });
  const classPath = [join(program, "classes"), join(program, "jars", "*")].join(delimiter);
  return { command: "java", args: ["-cp", classPath, "sample.Sample"] };
}

/**
 * A directory that `build` has filled, outside of the checkout; made anew when anything of `key` is another one. Built aside
 * and renamed: an interrupted build leaves no half of it.
 */
async function cached(
  name: string,
  key: readonly (string | Buffer)[],
  build: (target: string) => Promise<unknown>,
): Promise<string> {
  const hash = createHash("sha256");
  for (const part of key) hash.update(createHash("sha256").update(part).digest());
  const parent = join(cacheDirectory, "samples");
  const target = join(parent, `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(target)) return target;
  mkdirSync(parent, { recursive: true });
  const temporary = mkdtempSync(join(parent, ".build-"));
  try {
    await build(temporary);
    renameSync(temporary, target);
  } catch (error) {
    // Another run may have finished the same build meanwhile: its result is as good.
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return target;
}

/** What the tool says of itself. @throws {Missing} when it isn't there. */
async function toolVersion(tool: string, args: readonly string[], needed: string): Promise<string> {
  const { failed, all } = await execa(tool, args, {
    all: true,
    reject: false,
    stdin: "ignore",
    timeout: 30_000,
  });
  if (failed) throw new Missing(`${tool} does not run: it needs ${needed} in PATH`);
  return all;
}

/** @throws {Missing} when the registry can't be reached; {Error} with the end of the output when it failed otherwise. */
async function run(command: string, args: readonly string[], purpose: string): Promise<void> {
  const { failed, all, shortMessage } = await execa(command, args, {
    all: true,
    reject: false,
    stdin: "ignore",
    timeout: buildWithinMs,
    env: { GOFLAGS: "-buildvcs=false", CGO_ENABLED: "0" },
  });
  if (!failed) return;
  const reason = unreachable.exec(all)?.[0];
  if (reason !== undefined) {
    const shortened = stripVTControlCharacters(reason).trim().slice(0, 200);
    throw new Missing(`${basename(command)} can't ${purpose}: ${shortened}`);
  }
  throw new Error(`${shortMessage}\n${all.split("\n").slice(-30).join("\n")}`);
}

/** What the tools say when a registry can't be reached. A wrong version or a wrong hash is none of these. */
const unreachable =
  /.*(name resolution|Name or service not known|no such host|Unknown host|UnknownHostException|Network is unreachable|No route to host|Connection refused|Connection timed out|Connect timed out|i\/o timeout|ensurepip is not available).*/i;

function directoryOf(folder: string): string {
  return fileURLToPath(new URL(`../../examples/${folder}`, import.meta.url));
}

/** Names and contents of all files below a directory, in a fixed order. */
function filesIn(directory: string): (string | Buffer)[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted()
    .flatMap((file) => [file.slice(directory.length), readFileSync(file)]);
}
