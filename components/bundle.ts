import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const projectDirectory = fileURLToPath(new URL("..", import.meta.url));

/** A folder with a Dockerfile, and the programs that become single files in its `dist`. */
export interface BundleContext {
  /** Folder below the project, also the context of the image's build. */
  readonly directory: string;
  /** Program files in that folder, without `.ts`. */
  readonly programs: readonly string[];
  /** Where the files are written. Default: `dist` in the folder, where the image's build finds them. */
  readonly outDirectory?: string;
}

/**
 * Bundles each program with everything that it imports into `<directory>/dist/<program>.js`.
 *
 * So an image build copies a few small files and needs neither npm nor a network, and the hash of its context changes
 * only when the program does: the same sources give the same bytes and modes.
 */
export function bundlePrograms({ directory, programs, outDirectory }: BundleContext): void {
  const folder = join(projectDirectory, directory);
  const target = outDirectory ?? join(folder, "dist");
  rmSync(target, { recursive: true, force: true });
  buildSync({
    absWorkingDir: projectDirectory,
    entryPoints: programs.map((program) => join(folder, `${program}.ts`)),
    outdir: target,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    legalComments: "none",
    logLevel: "error",
    // CommonJS dependencies call require(), which an ES module doesn't have.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  for (const program of programs) chmodSync(join(target, `${program}.js`), 0o644);
}
