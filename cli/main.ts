import { Command } from "commander";
import { ExecaError } from "execa";
import { UserError } from "../runtime/user-error.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { alertsCommand } from "../workshop/alerts/command.ts";
import { benchCommand } from "../workshop/bench/command.ts";
import { chaosCommand } from "../workshop/chaos/command.ts";
import { clusterCommand } from "../workshop/cluster/command.ts";
import { hostileCommand } from "../workshop/hostile/command.ts";
import { stackCommand } from "../workshop/stack/command.ts";
import { commandName } from "./called-as.ts";
import { consoleCommand } from "./console/console-command.ts";
import { localCommand } from "./local.ts";
import { backupCommand } from "./operate/backup/backup-command.ts";
import { restoreCommand } from "./operate/backup/restore-command.ts";
import { doctorCommand } from "./operate/doctor-command.ts";
import { fenceCommand, unfenceCommand } from "./operate/fence-command.ts";
import { forceMasterCommand } from "./operate/force-master-command.ts";
import { hibernateCommand, wakeCommand } from "./operate/hibernate-command.ts";
import { logsCommand } from "./operate/logs/logs-command.ts";
import { moveCommand } from "./operate/move/move-command.ts";
import { reportCommand } from "./operate/report/report-command.ts";
import { statusCommand } from "./operate/status-command.ts";
import { switchoverCommand } from "./operate/switchover-command.ts";

const program = new Command(commandName)
  .description("Highly available Redis: run it on this machine, on an embedded cluster, or deploy it.")
  .showHelpAfterError()
  .addCommand(localCommand())
  .addCommand(statusCommand())
  .addCommand(doctorCommand())
  .addCommand(switchoverCommand())
  .addCommand(fenceCommand())
  .addCommand(unfenceCommand())
  .addCommand(forceMasterCommand())
  .addCommand(hibernateCommand())
  .addCommand(wakeCommand())
  .addCommand(consoleCommand())
  .addCommand(logsCommand())
  .addCommand(reportCommand())
  .addCommand(backupCommand())
  .addCommand(restoreCommand())
  .addCommand(moveCommand())
  .addCommand(stackCommand())
  .addCommand(clusterCommand())
  .addCommand(benchCommand())
  .addCommand(chaosCommand())
  .addCommand(hostileCommand())
  .addCommand(alertsCommand());

// `| head` has what it wanted, and hangs up.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

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
