import { Command } from "commander";
import { findProgram } from "../../../runtime/find-program.ts";
import { UserError } from "../../../runtime/user-error.ts";
import {
  type Catalog,
  deleteBackup,
  findBackup,
  isGood,
  type ListedBackup,
  readCatalog,
} from "../../../sentinel-image/backup/backup-catalog.ts";
import { showProgress } from "../../progress.ts";
import { backupNowCommand } from "./backup-now.ts";
import { checkBackup } from "./check-backup.ts";
import { describeBytes, describeCatalog, reportCatalog } from "./describe-backups.ts";
import { type DestinationOptions, openDestination, readCipher, withDestination } from "./destination.ts";
import { ReadingProgress, watchReading } from "./watched-store.ts";

interface ListOptions extends DestinationOptions {
  readonly json?: true;
}

interface VerifyOptions extends ListOptions {
  readonly keyFile?: string;
}

interface DeleteOptions extends ListOptions {
  readonly yes?: true;
  readonly evenTheLast?: true;
}

/** `redis-ha backup now|list|verify|delete`: what a destination of backups holds. */
export function backupCommand(): Command {
  const command = new Command("backup").description("The backups in a bucket or a directory.");
  command.addCommand(backupNowCommand());
  withDestination(command.command("list"))
    .description("List them, the newest first. Exit code 1 when none is good.")
    .option("--json", "print the result as JSON")
    .action(list);
  withDestination(command.command("verify"))
    .argument("[backup]", "its id, or latest", "latest")
    .description(
      "Read all of a backup, compare it with what its manifest says, and load it into a throw-away redis-server when one is in PATH. Changes nothing. Exit code 1 unless it is good.",
    )
    .option("--key-file <path>", "age identity (AGE-SECRET-KEY-1…), for a backup that is encrypted")
    .option("--json", "print the result as JSON")
    .action(verify);
  withDestination(command.command("delete"))
    .argument("<backup...>", "ids")
    .description("Delete backups. Without --yes it says what would be deleted, and ends with exit code 1.")
    .option("--yes", "delete them")
    .option("--even-the-last", "also when no good backup remains")
    .option("--json", "print the result as JSON")
    .action(remove);
  return command;
}

async function list(options: ListOptions): Promise<void> {
  const report = reportCatalog(await readCatalog(openDestination(options)), Date.now());
  print(options, report, describeCatalog(report));
  if (!report.backups.some(({ good }) => good)) process.exitCode = 1;
}

async function verify(wanted: string, options: VerifyOptions): Promise<void> {
  const cipher = readCipher(options.keyFile);
  const store = openDestination(options);
  const { manifest, bytes } = findBackup(await readCatalog(store), wanted);
  const tell = (line: string): void => showProgress(line);
  tell(`reading ${manifest.id} (${describeBytes(bytes)})`);
  const progress = new ReadingProgress(bytes, tell);
  const result = await checkBackup({
    store: watchReading(store, progress.add),
    manifest,
    cipher,
    program: redisServer(),
    signal: endOfPatience(),
  });
  print(
    options,
    { id: manifest.id, ...result },
    `${manifest.id} is ${result.ok ? "good" : "BAD"}: ${result.detail}.`,
  );
  if (!result.ok) process.exitCode = 1;
}

async function remove(ids: readonly string[], options: DeleteOptions): Promise<void> {
  const store = openDestination(options);
  const catalog = await readCatalog(store);
  const chosen = [...new Set(ids)].map((id) => findNamed(catalog, id));
  refuseLast(catalog, chosen, options);
  if (!options.yes) {
    const named = chosen.map(({ manifest, bytes }) => `${manifest.id} (${describeBytes(bytes)})`);
    throw new UserError(`Would delete ${named.join(", ")}, for good. Nothing was deleted: say --yes.`);
  }
  for (const { manifest } of chosen) {
    showProgress(`deleting ${manifest.id}`);
    await deleteBackup(store, manifest);
  }
  const deleted = chosen.map(({ manifest }) => manifest.id);
  print(options, { deleted }, `Deleted ${deleted.join(", ")}.`);
}

/** By its id only: `latest` deletes something else tomorrow. */
function findNamed(catalog: Catalog, id: string): ListedBackup {
  if (id === "latest") throw new UserError("Name the backups to delete by their ids: redis-ha backup list.");
  return findBackup(catalog, id);
}

function refuseLast(
  { backups }: Catalog,
  chosen: readonly ListedBackup[],
  { evenTheLast }: DeleteOptions,
): void {
  const good = backups.filter(isGood);
  if (evenTheLast || good.length === 0 || good.some((backup) => !chosen.includes(backup))) return;
  throw new UserError(
    `No good backup would remain without ${good.map(({ manifest }) => manifest.id).join(", ")}. Nothing was deleted: say --even-the-last.`,
  );
}

function redisServer(): string | undefined {
  try {
    return findProgram("redis-server", process.env.PATH);
  } catch {
    return undefined;
  }
}

/** Ctrl-C ends the reading, and the throw-away server with it. */
export function endOfPatience(): AbortSignal {
  const end = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => end.abort(new UserError("Stopped. Nothing was changed.")));
  return end.signal;
}

/** The result, for a program or for people. */
export function print({ json }: { readonly json?: true }, value: unknown, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(value, null, 2) : text}\n`);
}
