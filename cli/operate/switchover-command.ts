import { Command } from "commander";
import { confirm } from "./confirm.ts";
import { switchOver } from "./switch-over.ts";
import { openTarget, type TargetOptions, withTargetOptions } from "./target.ts";

interface SwitchoverOptions extends TargetOptions {
  readonly to?: string;
  readonly yes?: true;
  readonly json?: true;
}

/** `redis-ha switchover`: a planned hand-over to an instance of choice. */
export function switchoverCommand(): Command {
  return withTargetOptions(new Command("switchover"))
    .description(
      "Hand the master's role to another instance while clients work: writes wait for a moment, and none is lost. Refused with the reason when it would not be safe. Exit code 1 unless the other one leads.",
    )
    .option("--to <instance>", "number or name of the one that is to lead (default: the first that can)")
    .option("--yes", "don't ask")
    .action(async (options: SwitchoverOptions) => {
      const result = await switchOver(
        await openTarget(options),
        options.to,
        options.yes ? undefined : confirm,
      );
      const text = `${result.to} leads in place of ${result.from}. Writes were paused for ${result.pausedMs} ms.`;
      process.stdout.write(`${options.json ? JSON.stringify(result, null, 2) : text}\n`);
    });
}
