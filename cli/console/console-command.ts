import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { LocalTopology } from "../local/local-topology.ts";
import { openTarget, type TargetOptions, withTargetOptions } from "../operate/target.ts";
import { startLocalConsole, startStackConsole } from "./start-console.ts";

interface ConsoleOptions extends TargetOptions {
  readonly port?: number;
  readonly json?: true;
}

/** `redis-ha console`: a page to look at a topology, until Ctrl-C. */
export function consoleCommand(): Command {
  return withTargetOptions(new Command("console"), "print the address as JSON")
    .description(
      "A page that shows a topology live. One of this machine can be harmed and mended there, while a small client writes; a deployed stack can only be told to hand the role over. Served on the loopback, to whoever has the printed token, until Ctrl-C.",
    )
    .option(
      "--port <number>",
      "where it listens (default: 7690, or any other one if that is in use)",
      readPort,
    )
    .action(async (options: ConsoleOptions) => {
      const target = await openTarget(options);
      const local = target.isDeployed ? undefined : LocalTopology.open(resolve(options.dir));
      const { url, close } = await (local === undefined
        ? startStackConsole(target, options.port)
        : startLocalConsole(local, options.port));
      const stopped = Promise.withResolvers<void>();
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
        process.on(signal, () => stopped.resolve());
      process.stdout.write(options.json ? `${JSON.stringify({ consoleUrl: url })}\n` : `${url}\n`);
      await stopped.promise;
      close();
    });
}

/** Reads a port. @throws {InvalidArgumentError} unless it is one; 0: any free one. */
export function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError("Use a port from 1 to 65535, or 0 for any.");
  return port;
}
