import { Command } from "commander";
import { ExecaError } from "execa";
import { SettingsError } from "../settings/settings-error.ts";
import { benchCommand } from "./bench.ts";
import { chaosCommand } from "./chaos.ts";
import { clusterCommand } from "./cluster.ts";
import { hostileCommand } from "./hostile.ts";
import { localCommand } from "./local.ts";
import { stackCommand } from "./stack.ts";
import { UserError } from "./user-error.ts";

const program = new Command("redis-ha")
  .description("Highly available Redis: run it on this machine, on an embedded cluster, or deploy it.")
  .showHelpAfterError()
  .addCommand(localCommand())
  .addCommand(stackCommand())
  .addCommand(clusterCommand())
  .addCommand(benchCommand())
  .addCommand(chaosCommand())
  .addCommand(hostileCommand());

try {
  await program.parseAsync();
} catch (error) {
  // Mistakes and obstacles are told in a sentence; a trace is for what nobody expected.
  if (error instanceof UserError || error instanceof SettingsError)
    process.stderr.write(`${error.message}\n`);
  else if (error instanceof ExecaError)
    process.stderr.write(`${error.shortMessage}\n${error.stderr ?? ""}\n`);
  else process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
}
