import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { findBackup, readCatalog } from "../../../sentinel-image/backup/backup-catalog.ts";
import { commandName } from "../../called-as.ts";
import { prepareDirectory } from "../../local/local-directory.ts";
import { LocalTopology } from "../../local/local-topology.ts";
import { showProgress } from "../../progress.ts";
import { endOfPatience, print } from "./backup-command.ts";
import { describeBytes } from "./describe-backups.ts";
import { type DestinationOptions, openDestination, readCipher, withDestination } from "./destination.ts";
import { refuseData, restoreToDirectory } from "./restore-to-directory.ts";
import { ReadingProgress, watchReading } from "./watched-store.ts";

interface RestoreCommandOptions extends DestinationOptions {
  readonly toLocal: string;
  readonly before?: number;
  readonly keyFile?: string;
  readonly port: number;
  readonly json?: true;
}

/** `redis-ha restore --to-local`: a backup on this machine, to look at it. */
export function restoreCommand(): Command {
  return withDestination(new Command("restore"))
    .argument("[backup]", "its id, or latest", "latest")
    .description(
      "Fetch a backup, decrypt it, check it, and unpack it on this machine, where `redis-ha local up` or a plain redis-server reads it. Changes no deployed stack.",
    )
    .addOption(
      new Option(
        "--to-local <directory>",
        "where to; it must be empty, or not be there",
      ).makeOptionMandatory(),
    )
    .option("--before <time>", "the newest good one of this time or before: 2026-11-30T12:00:00Z", readTime)
    .option("--key-file <path>", "age identity (AGE-SECRET-KEY-1…), for a backup that is encrypted")
    .option(
      "--port <number>",
      "first port of the topology that `redis-ha local up` makes of it",
      readPort,
      7600,
    )
    .option("--json", "print the result as JSON")
    .action(restore);
}

async function restore(wanted: string, options: RestoreCommandOptions): Promise<void> {
  const cipher = readCipher(options.keyFile);
  const store = openDestination(options);
  const catalog = await readCatalog(store);
  const { manifest, bytes } = findBackup(
    catalog,
    options.before === undefined ? wanted : { atMs: options.before },
  );
  const directory = resolve(options.toLocal);
  refuseData(directory);
  prepareDirectory(directory, { basePort: options.port, configuration: {} }, false);
  // The first instance leads when only it has data.
  const data = LocalTopology.open(directory)?.stateDirectory("redis-instance-1") ?? directory;
  showProgress(`reading ${manifest.id} (${describeBytes(bytes)})`);
  const progress = new ReadingProgress(bytes, showProgress);
  await restoreToDirectory({
    store: watchReading(store, progress.add),
    manifest,
    cipher,
    directory: data,
    signal: endOfPatience(),
  }).catch((error: unknown) => {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  });
  print(
    options,
    { id: manifest.id, directory, data, port: options.port },
    [
      `${manifest.id} is in ${data}. Look at it with one of`,
      `  ${commandName} local up --dir ${directory} --port ${options.port}`,
      `  redis-server --dir ${data} --port ${options.port}`,
    ].join("\n"),
  );
}

function readTime(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new InvalidArgumentError("Use a time like 2026-11-30T12:00:00Z.");
  return ms;
}

function readPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_000)
    throw new InvalidArgumentError("Use a number from 1 to 65000.");
  return port;
}
