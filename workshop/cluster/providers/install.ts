import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

/** A provider plugin that is installed now. */
export interface InstalledProvider {
  readonly name: string;
  readonly version: string;
  /** False: a stand-in of cluster/providers, since the genuine plugin could not be downloaded. */
  readonly genuine: boolean;
}

const providers = ["kubernetes", "docker", "random", "tls"] as const;
const marker = "STAND-IN";
/** How long a failed download is not tried again. */
const retryAfterMs = 24 * 3600 * 1000;

/**
 * Makes sure that the plugins of the exact versions in node_modules are in a PULUMI_HOME: a genuine one that is there is used,
 * else it is downloaded, else a stand-in takes its place.
 *
 * @param environment PATH with the pulumi program, and whatever else its downloads need.
 */
export async function installProviders({
  pulumiHome,
  environment,
  onProgress,
}: {
  readonly pulumiHome: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly onProgress: (line: string) => void;
}): Promise<InstalledProvider[]> {
  const installed: InstalledProvider[] = [];
  for (const name of providers) {
    const version = versionOf(name);
    const directory = join(pulumiHome, "plugins", `resource-${name}-v${version}`);
    const executable = join(directory, `pulumi-resource-${name}`);
    const exists = existsSync(executable);
    const standsIn = exists && readFileSync(executable).subarray(0, 200).includes(marker);
    if (exists && !standsIn) {
      installed.push({ name, version, genuine: true });
      continue;
    }
    const failedFile = join(pulumiHome, `${name}-${version}.download-failed`);
    if (!failedLately(failedFile)) {
      onProgress(`downloading the provider ${name} ${version}`);
      rmSync(directory, { recursive: true, force: true });
      const download = await execa("pulumi", ["plugin", "install", "resource", name, `v${version}`], {
        env: { ...environment, PULUMI_HOME: pulumiHome, PULUMI_SKIP_UPDATE_CHECK: "true" },
        reject: false,
        stdin: "ignore",
        timeout: 60_000,
      });
      if (download.exitCode === 0 && existsSync(executable)) {
        installed.push({ name, version, genuine: true });
        continue;
      }
      writeFileSync(failedFile, new Date().toISOString());
    }
    writeStandIn(name, directory, executable);
    installed.push({ name, version, genuine: false });
  }
  return installed;
}

function writeStandIn(name: string, directory: string, executable: string): void {
  const program = fileURLToPath(new URL(`${name}/main.ts`, import.meta.url));
  mkdirSync(directory, { recursive: true });
  writeFileSync(
    executable,
    `#!/bin/sh\n# ${marker} for the provider plugin ${name}\nexec '${process.execPath}' '${program}' "$@"\n`,
  );
  chmodSync(executable, 0o755);
  // An unfinished download leaves this mark, which makes the engine ignore the plugin.
  rmSync(`${directory}.partial`, { force: true });
}

function failedLately(file: string): boolean {
  if (!existsSync(file)) return false;
  return Date.now() - Date.parse(readFileSync(file, "utf8")) < retryAfterMs;
}

function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  const { version } = require(`@pulumi/${name}/package.json`) as { version: string };
  return version;
}
