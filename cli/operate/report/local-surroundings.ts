import { readdirSync, readFileSync } from "node:fs";
import { arch, cpus, freemem, release, totalmem, uptime } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../../runtime/log.ts";
import type { LocalTopology } from "../../local/local-topology.ts";
import type { Missing, Surroundings } from "./surroundings.ts";

/** The settings, processes and machine of a topology of this machine, and the secrets that must not be in a report. */
export function lookAroundLocally(local: LocalTopology): Surroundings {
  const missing: Missing[] = [];
  const secrets = local.secretDirectories.flatMap((directory) => {
    try {
      return readSecrets(directory);
    } catch (error) {
      // Without TLS there is no directory of its files.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT")
        missing.push({ what: `secrets of ${directory}, to hide them`, why: messageOf(error) });
      return [];
    }
  });
  const processes = local.parts.map(({ name, address }) => ({
    name,
    address,
    running: local.isRunning(name),
  }));
  const machine = {
    kernel: release(),
    architecture: arch(),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    uptimeSeconds: Math.round(uptime()),
  };
  return {
    documents: [
      { path: "settings.json", content: { set: local.configuration, resolved: local.settings } },
      { path: "processes.json", content: processes },
      { path: "machine.json", content: machine },
    ],
    missing,
    secrets,
  };
}

/** Every password, seed and private key below a directory. Certificates and the servers' rules are none. */
function readSecrets(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(?:acl|crt)$/.test(entry.name))
    .flatMap(({ parentPath, name }) => {
      const text = readFileSync(join(parentPath, name), "utf8").trim();
      return name.endsWith(".json") ? textsIn(JSON.parse(text)) : [text];
    });
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
