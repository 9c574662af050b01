import { randomUUID } from "node:crypto";
import { Command } from "commander";
import { formatAddress } from "../../../runtime/address.ts";
import { UserError } from "../../../runtime/user-error.ts";
import { backOutFile } from "../../../sentinel-image/move/start-move.ts";
import { confirm } from "../confirm.ts";
import { reportStatus } from "../status-report.ts";
import { openTarget, type Target, type TargetOptions, withTargetOptions } from "../target.ts";
import { waitFor } from "../wait-for.ts";
import { type MoveReport, planBackOut, planCutOver, reportMove } from "./plan-move.ts";

interface MoveOptions extends TargetOptions {
  readonly yes?: true;
  readonly json?: true;
}

/** The others follow within a second, and the Sentinels know of it after a few. */
const followedWithinMs = 60_000;
/** A stop and a look at the volume; in a pod, its start too. */
const backedOutWithinMs = 120_000;

/** `redis-ha move status|cut-over|back-out`: the data of a Redis that exists already. */
export function moveCommand(): Command {
  const command = new Command("move").description(
    "Take over the data of another Redis, named by move:source, while clients work. See docs/move.md.",
  );
  withTargetOptions(command.command("status"))
    .description(
      "How far it is, instance by instance. Changes nothing. Exit code 1 when a cut-over would be refused.",
    )
    .action(status);
  withTargetOptions(command.command("cut-over"))
    .description(
      "Make this stack the master in the other Redis' place: that one takes no more writes, its last ones arrive, then the role changes. Clients of the proxy see a pause of less than a second. Whatever fails before the role changes leaves everything as it was.",
    )
    .option("--yes", "don't ask")
    .action(cutOver);
  withTargetOptions(command.command("back-out"))
    .description(
      "Throw the copy away, before a cut-over: the other Redis stays what it is. Then remove move:source with pulumi up.",
    )
    .option("--yes", "don't ask")
    .action(backOut);
  return command;
}

async function status(options: MoveOptions): Promise<void> {
  const report = reportMove(await look(await openTarget(options)));
  tell(options, report, describeMove(report));
  if (report.state !== "moved" && report.obstacle !== undefined) process.exitCode = 1;
}

/** For people. */
export function describeMove({ source, state, obstacle, instances }: MoveReport): string {
  if (source === undefined) return `Nothing is taken over: ${obstacle}.`;
  const head = {
    following: `${source} is the master; the cut-over ${obstacle === undefined ? "may begin: redis-ha move cut-over" : `would be refused: ${obstacle}`}.`,
    cutting: `${source} is being cut over.`,
    moved: `The data of ${source} have been taken over. Remove move:source when nobody needs it any more: it keeps that Redis from taking writes.`,
    "backed-out": `The copy of ${source} was thrown away: pulumi config rm move:source && pulumi up.`,
    mixed: `The instances disagree about ${source}: ${obstacle ?? "wait a moment"}.`,
    none: `Nothing is taken over: ${obstacle}.`,
  }[state];
  return [head, ...instances.map(({ name, state: own, says }) => `  ${name}  ${own}, ${says}`)].join("\n");
}

async function cutOver(options: MoveOptions): Promise<void> {
  const target = await openTarget(options);
  const plan = planCutOver(await look(target));
  if (plan.kind === "refuse") throw new UserError(`Refused: ${plan.reason}. Nothing was changed.`);
  const { heir, source } = plan;
  if (!options.yes)
    await confirm(
      `Make ${heir.name} the master in the place of ${source}, which then takes no more writes, from nobody?`,
    );
  const begin = performance.now();
  const order = { id: randomUUID(), heir: formatAddress(heir.address), move: "cut-over" as const };
  const { successor, reason, pausedMs } = await target.orderHandOver(heir.name, order);
  if (successor === "") throw new UserError(`Not cut over: ${reason}. ${source} is the master as before.`);
  await waitFor(
    async () => {
      const { healthy, redis, noMaster } = reportStatus(await look(target));
      if (healthy) return undefined;
      const late = redis.find((one) => !one.healthy);
      return late === undefined
        ? noMaster || "the Sentinels don't know all instances yet"
        : `${late.name}: ${late.state}`;
    },
    {
      withinMs: followedWithinMs,
      everyMs: 300,
      late: (found) =>
        `Cut over, ${heir.name} leads; but after ${followedWithinMs / 1000} s: ${found}. redis-ha doctor says more.`,
    },
  );
  const seconds = Math.round((performance.now() - begin) / 100) / 10;
  tell(
    options,
    { source, leads: heir.name, pausedMs, seconds },
    `${heir.name} leads in the place of ${source}. Writes were paused for ${pausedMs} ms; ${source} takes none any more.`,
  );
}

async function backOut(options: MoveOptions): Promise<void> {
  const target = await openTarget(options);
  const plan = planBackOut(await look(target));
  if (typeof plan === "string") throw new UserError(`Refused: ${plan}. Nothing was changed.`);
  const source = plan[0]?.machine.move?.source ?? "";
  if (!options.yes)
    await confirm(`Throw away the copy of ${source} on ${plan.map(({ name }) => name).join(", ")}?`);
  const names = plan.map(({ name }) => name);
  for (const name of names) {
    await target.placeOrders(name, { write: { [backOutFile]: new Date().toISOString() }, restart: true });
    process.stderr.write(`${name}: ordered\n`);
  }
  await waitFor(
    async () => {
      const late = (await look(target)).redis.find(
        ({ name, machine }) => names.includes(name) && machine.move?.state === "following",
      );
      return late && `${late.name} still has its copy`;
    },
    {
      withinMs: backedOutWithinMs,
      everyMs: 500,
      late: (found) => `Ordered, but after ${backedOutWithinMs / 1000} s: ${found}. It may be repeated.`,
    },
  );
  tell(
    options,
    { source, backedOut: names },
    `The copy is gone; ${source} was not touched, and the proxies go on sending their clients there. Next, when no client needs that: pulumi config rm move:source && pulumi up.`,
  );
}

function look(target: Target): ReturnType<Target["observe"]> {
  return target.observe({ logs: false });
}

function tell({ json }: MoveOptions, result: object, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(result, null, 2) : text}\n`);
}
