import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { execa } from "execa";
import { UserError } from "../../runtime/user-error.ts";
import { cacheDirectory } from "./places.ts";
import { importDirectory } from "./system-images.ts";

/** The base images that a Dockerfile names: `ARG REDIS_IMAGE=redis:…` gives `REDIS_IMAGE` → `redis:…`. */
export function baseImagesOf(dockerfile: string): Map<string, string> {
  return new Map(
    [...dockerfile.matchAll(/^ARG (\w+_IMAGE)=(\S+)$/gm)].map(([, name = "", image = ""]) => [name, image]),
  );
}

const dockerfiles = ["../../sentinel-image/Dockerfile", "../../proxy/Dockerfile"];

/**
 * Makes sure that this Docker has the images that the product's Dockerfiles start from. Where they can't be pulled, a
 * STAND-IN is made under the same tag: Debian trixie with its own redis-server (8.0) and the Node that npm installed. Good
 * for tests of this product; not the official images.
 */
export async function ensureBaseImages(
  docker: Readonly<Record<string, string>>,
  onProgress: (line: string) => void,
): Promise<void> {
  const images = new Set<string>();
  for (const file of dockerfiles) {
    for (const image of baseImagesOf(readFileSync(new URL(file, import.meta.url), "utf8")).values())
      images.add(image);
  }
  const missing: string[] = [];
  for (const image of images) {
    const found = await execa("docker", ["image", "inspect", image], { env: docker, reject: false });
    if (found.exitCode !== 0) missing.push(image);
  }
  if (missing.length === 0) return;
  const root = await ensureDebianRoot(onProgress);
  for (const image of missing) {
    onProgress(`making a stand-in for the base image ${image}`);
    await importDirectory(root, image, [], docker);
  }
}

/** A Debian system with Redis and Node as a directory in the cache. */
async function ensureDebianRoot(onProgress: (line: string) => void): Promise<string> {
  const node = findNodeBinary();
  const root = join(
    cacheDirectory,
    "base-images",
    `trixie-redis-node-${process.versions.node}-${process.arch}`,
  );
  if (existsSync(root)) return root;
  onProgress("downloading a minimal Debian with Redis (about half a minute)");
  const temporary = `${root}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    const mirror = await debianMirror();
    const args = ["--variant=minbase", "--include=redis-server", "trixie", temporary, ...mirror];
    const made = await execa("debootstrap", args, { reject: false, stdin: "ignore" });
    if (made.exitCode !== 0) {
      throw new UserError(
        `debootstrap could not make a Debian system: ${made.stdout.split("\n").slice(-3).join(" ")}`,
      );
    }
    await execa("install", ["-D", "-m", "755", node, join(temporary, "usr/local/bin/node")]);
    for (const part of [
      "var/cache/apt",
      "var/lib/apt/lists",
      "usr/share/doc",
      "usr/share/man",
      "usr/share/locale",
    ]) {
      rmSync(join(temporary, part), { recursive: true, force: true });
    }
    renameSync(temporary, root);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return root;
}

/** The mirror that this Debian uses itself; debootstrap's own choice elsewhere. */
async function debianMirror(): Promise<string[]> {
  const isDebian = /^ID=debian$/m.test(readFileSync("/etc/os-release", "utf8"));
  if (!isDebian) return [];
  const { stdout } = await execa("apt-get", ["indextargets", "--format", "$(SITE)"], { reject: false });
  const site = stdout.split("\n").find((line) => line !== "" && !line.includes("security"));
  return site === undefined ? [] : [site];
}

/** The Node binary of the npm package `node`: the link in node_modules/.bin leads to it. */
function findNodeBinary(): string {
  const require = createRequire(import.meta.url);
  const binary = join(require.resolve("node/package.json"), "..", "bin", "node");
  if (!existsSync(binary)) throw new UserError("The npm package 'node' has no binary: run npm ci.");
  return binary;
}
