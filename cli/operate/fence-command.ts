import { userInfo } from "node:os";
import { Command } from "commander";
import { UserError } from "../../runtime/user-error.ts";
import { fenceFile } from "../../sentinel-image/start/standing-orders.ts";
import { confirm } from "./confirm.ts";
import { findInstance } from "./find-instance.ts";
import { planFence } from "./plan-fence.ts";
import { reportStatus } from "./status-report.ts";
import { openTarget, type Target, type TargetOptions, withTargetOptions } from "./target.ts";
import { waitFor } from "./wait-for.ts";

interface FenceOptions extends TargetOptions {
  readonly why?: string;
  readonly yes?: true;
  readonly json?: true;
}

/** A hand-over and the end of a server, or its start with its data: seconds, and a pod's restart. */
const doneWithinMs = 60_000;

/** `redis-ha fence`: an instance that serves nothing, with its volume in reach. */
export function fenceCommand(): Command {
  return withTargetOptions(new Command("fence"))
    .description(
      "Take one instance out of service for work on it: it hands its role over, ends its server and starts none until `unfence`, restarts included. Its pod and its volume stay in reach. Refused unless all others are in sync.",
    )
    .argument("<instance>", "number or name")
    .option("--why <text>", "what others are told who look", "by an operator")
    .option("--yes", "don't ask")
    .action(async (wanted: string, options: FenceOptions) => {
      const target = await openTarget(options);
      const plan = planFence(await target.observe({ logs: false }), wanted);
      if (plan.kind === "refuse") throw new UserError(`Refused: ${plan.reason}. Nothing was changed.`);
      const { name } = plan.instance;
      if (!options.yes) await confirm(`Fence ${name}${plan.leads ? ", which leads" : ""}?`);
      const why = `${options.why?.replaceAll(/\s+/g, " ")} (${userInfo().username}, ${new Date().toISOString()})`;
      await target.placeOrders(name, { write: { [fenceFile]: why }, restart: true });
      await waitForState(target, name, (state) => state.problem !== undefined, "still answers");
      tell(
        options,
        { instance: name, fenced: true },
        `${name} is fenced. Back again: redis-ha unfence ${name}`,
      );
    });
}

/** `redis-ha unfence`: the end of {@link fenceCommand}. */
export function unfenceCommand(): Command {
  return withTargetOptions(new Command("unfence"))
    .description("End a fence: the instance starts its server, and is a replica again when it is in sync.")
    .argument("<instance>", "number or name")
    .action(async (wanted: string, options: FenceOptions) => {
      const target = await openTarget(options);
      const instance = findInstance(await target.observe({ logs: false }), wanted);
      if (typeof instance === "string") throw new UserError(`Refused: ${instance}. Nothing was changed.`);
      const { name, machine } = instance;
      if (machine.fenced === undefined) throw new UserError(`${name} is not fenced. Nothing was changed.`);
      await target.placeOrders(name, { remove: [fenceFile], restart: false });
      await waitForState(target, name, (state) => state.healthy, "isn't in sync");
      tell(options, { instance: name, fenced: false }, `${name} is in service again.`);
    });
}

interface InstanceState {
  readonly problem: string | undefined;
  readonly healthy: boolean;
  readonly state: string;
}

async function waitForState(
  target: Target,
  name: string,
  reached: (state: InstanceState) => boolean,
  otherwise: string,
): Promise<void> {
  await waitFor(
    async () => {
      const seen = await target.observe({ logs: false });
      const problem = seen.redis.find((one) => one.name === name)?.problem;
      const { healthy = false, state = "" } = reportStatus(seen).redis.find((one) => one.name === name) ?? {};
      return reached({ problem, healthy, state }) ? undefined : state;
    },
    {
      withinMs: doneWithinMs,
      everyMs: 300,
      late: (found) =>
        `Ordered, but ${name} ${otherwise} after ${doneWithinMs / 1000} s: ${found}. redis-ha logs --part ${name} says more.`,
    },
  );
}

function tell({ json }: FenceOptions, result: object, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(result, null, 2) : text}\n`);
}
