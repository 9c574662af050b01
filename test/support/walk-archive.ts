import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { execa } from "execa";

/** Every file of a `.tar.gz`, path within its folder → text. */
export async function walkArchive(file: string): Promise<Map<string, string>> {
  const directory = mkdtempSync(join(tmpdir(), "redis-ha-unpacked-"));
  try {
    await execa("tar", ["-xzf", file, "-C", directory]);
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    return new Map(
      files.map(({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [relative(directory, path).split("/").slice(1).join("/"), readFileSync(path, "utf8")];
      }),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}
