import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { systemImages } from "./configuration.ts";
import type { ClusterPlaces } from "./places.ts";
import { ensureImagePrograms } from "./programs.ts";

/**
 * Puts the two images into the registry that Kubernetes itself needs: the one of every pod's sandbox, and the DNS server.
 * Each is one static program and nothing else.
 */
export async function ensureSystemImages(
  places: ClusterPlaces,
  docker: Readonly<Record<string, string>>,
  onProgress: (line: string) => void,
): Promise<void> {
  const programs = await ensureImagePrograms(onProgress);
  for (const [name, directory, image] of [
    ["pause", programs.pause, systemImages.pause],
    ["coredns", programs.coredns, systemImages.coredns],
  ] as const) {
    // Named after the cache's key: another version of the program makes another image.
    const marker = join(places.data, "registry", `${name}-${directory.split("-").at(-1)}.pushed`);
    if (existsSync(marker)) continue;
    onProgress(`making the image ${image}`);
    const root = mkdtempSync(join(tmpdir(), "redis-ha-image-"));
    try {
      cpSync(join(directory, name), join(root, name));
      await importDirectory(root, image, [`ENTRYPOINT ["/${name}"]`], docker);
      await execa("docker", ["push", "--quiet", image], { env: docker });
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
    mkdirSync(join(places.data, "registry"), { recursive: true });
    writeFileSync(marker, "");
  }
}

/** Makes an image of one layer from a directory. */
export async function importDirectory(
  directory: string,
  image: string,
  changes: readonly string[],
  docker: Readonly<Record<string, string>>,
): Promise<void> {
  const tar = execa("tar", ["--numeric-owner", "--create", "--directory", directory, "."], { buffer: false });
  const options = changes.flatMap((change) => ["--change", change]);
  await tar.pipe("docker", ["import", ...options, "-", image], { env: docker });
}
