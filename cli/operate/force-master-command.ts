import { Command } from "commander";
import { UserError } from "../../runtime/user-error.ts";
import { forceFile } from "../../sentinel-image/start/standing-orders.ts";
import { confirm } from "./confirm.ts";
import { planForce } from "./plan-force.ts";
import { openTarget, type TargetOptions, withTargetOptions } from "./target.ts";
import { waitUntilLeads } from "./wait-for.ts";

interface ForceOptions extends TargetOptions {
  readonly yes?: true;
  readonly json?: true;
}

/** It restarts, loads its data, and the Sentinels are told. */
const leadsWithinMs = 90_000;

/** `redis-ha force-master`: for disasters, when the instances wait for one that won't come back. */
export function forceMasterCommand(): Command {
  return withTargetOptions(new Command("force-master"))
    .description(
      "Make an instance the master whatever the others have: for disasters, when the instances wait for one that won't come back. Says first how new each copy is. What only others have is lost. Refused where a master works.",
    )
    .argument("<instance>", "number or name")
    .option("--yes", "don't ask")
    .action(async (wanted: string, options: ForceOptions) => {
      const target = await openTarget(options);
      const plan = planForce(await target.observe({ logs: false }), wanted);
      if (plan.kind === "refuse") throw new UserError(`Refused: ${plan.reason}. Nothing was changed.`);
      const { name } = plan.instance;
      process.stderr.write(`${plan.losses.join("\n")}\n`);
      if (!options.yes) await confirm(`Make ${name} the master, and lose what only others have?`);
      const order = new Date().toISOString();
      await target.placeOrders(name, { write: { [forceFile]: order }, restart: true });
      await waitUntilLeads(target, name, {
        withinMs: leadsWithinMs,
        everyMs: 500,
        late: (found) => `Ordered, but ${name} doesn't lead after ${leadsWithinMs / 1000} s: ${found}.`,
      });
      const text = `${name} leads.`;
      process.stdout.write(
        `${options.json ? JSON.stringify({ master: name, losses: plan.losses }, null, 2) : text}\n`,
      );
    });
}
