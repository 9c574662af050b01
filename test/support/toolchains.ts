import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cached, orMissing, type Prepared, run, toolVersion } from "./fetched.ts";

const mavenPlugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

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
