import { createInterface } from "node:readline";
import { execa } from "execa";
import { LiveLine } from "../../cli/live-line.ts";
import { UserError } from "../../runtime/user-error.ts";

/** What `go build` is told. */
export interface GoBuild {
  /** The program's name, for people. */
  readonly name: string;
  /** Directory with the go.mod. */
  readonly directory: string;
  readonly package: string;
  readonly flags: readonly string[];
}

/** How far a build is. */
export interface BuildProgress {
  readonly name: string;
  /** Packages that were compiled; those that the compiler's cache has aren't among them. */
  readonly compiled: number;
  /** All packages of the program; undefined: not counted yet. */
  readonly all: number | undefined;
  /** The one that was begun last. */
  readonly current: string;
  readonly seconds: number;
}

/** "kubelet: 312 of at most 1204 packages compiled, 1:05, k8s.io/api/core/v1". Pure. */
export function describeBuild({ name, compiled, all, current, seconds }: BuildProgress): string {
  const time = `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const of = all === undefined ? "" : ` of at most ${all}`;
  return `${name}: ${compiled}${of} packages compiled, ${time}${current === "" ? "" : `, ${current}`}`;
}

const environment = { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly -buildvcs=false" };
const lastLines = 15;

/**
 * Builds one program, and shows how far it is.
 *
 * @throws {UserError} with the end of what the compiler says.
 */
export async function buildGo({ name, directory, package: path, flags }: GoBuild): Promise<void> {
  const options = { cwd: directory, env: environment, reject: false, stdin: "ignore" } as const;
  const begin = performance.now();
  let [compiled, current] = [0, ""];
  let all: number | undefined;
  const line = new LiveLine();
  const show = (): void =>
    line.update(describeBuild({ name, compiled, all, current, seconds: (performance.now() - begin) / 1000 }));
  const clock = setInterval(show, 500);
  try {
    const listed = execa("go", ["list", "-deps", path], options).then(({ exitCode, stdout }) => {
      if (exitCode === 0) all = stdout.split("\n").length;
    });
    // -v names each package when it is compiled.
    const building = execa("go", ["build", "-v", ...flags, path], options);
    const tail: string[] = [];
    for await (const text of createInterface({ input: building.stderr })) {
      if (isPackage(text)) [compiled, current] = [compiled + 1, text];
      else tail.push(text);
      show();
    }
    const built = await building;
    await listed;
    if (built.exitCode !== 0)
      throw new UserError(`Building ${name} failed:\n${tail.slice(-lastLines).join("\n")}`);
  } finally {
    clearInterval(clock);
    line.end();
  }
}

/** A package's path alone in a line: what `-v` writes, beside errors and what is downloaded. */
export function isPackage(line: string): boolean {
  return /^[\w.~-]+(\/[\w.~-]+)*$/.test(line);
}
