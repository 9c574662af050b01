import { Command } from "commander";

const program = new Command("redis-ha")
  .description("Highly available Redis: run it on this machine, on an embedded cluster, or deploy it.")
  .showHelpAfterError()
  .configureHelp({ sortSubcommands: false });

await program.parseAsync();
