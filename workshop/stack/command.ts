import { resolve } from "node:path";
import { Command, Option } from "commander";
import { showProgress } from "../../cli/progress.ts";
import { stateDirectory } from "../../cli/state-directory.ts";
import { type DeployedStack, stackDown, stackUp } from "./stack.ts";

interface StackCommandOptions {
  readonly stack: string;
  readonly context?: string;
  readonly registry?: string;
  readonly directory: string;
  readonly json?: true;
}

/** `redis-ha stack up|down`: a real `pulumi up` with all set-up. */
export function stackCommand(): Command {
  const command = new Command("stack").description(
    "Deploy with Pulumi: to a context that you name, else to kind, else to an embedded cluster.",
  );
  withOptions(command.command("up"))
    .description("Set everything up, run `pulumi up`, use the endpoint once and print the stack's outputs.")
    .action(async (options: StackCommandOptions) => {
      const deployed = await stackUp(toStackOptions(options));
      process.stdout.write(
        options.json ? `${JSON.stringify(publicPart(deployed), null, 2)}\n` : describe(deployed),
      );
    });
  withOptions(command.command("down"))
    .description(
      "Run `pulumi destroy`. The volumes stay for the next `up` unless redis-ha:keepVolumes is false.",
    )
    .action(async (options: StackCommandOptions) => {
      await stackDown(toStackOptions(options));
      process.stdout.write(options.json ? '{"destroyed": true}\n' : "Destroyed.\n");
    });
  return command;
}

function withOptions(command: Command): Command {
  return command
    .option("--stack <name>", "Pulumi stack", "dev")
    .addOption(new Option("--context <name>", "context of your kubeconfig to deploy to").env("CONTEXT"))
    .addOption(new Option("--registry <name>", "registry for the images, with --context").env("REGISTRY"))
    .option("--directory <path>", "where clusters and the Pulumi state are kept", stateDirectory)
    .option("--json", "print the result as JSON");
}

function toStackOptions(options: StackCommandOptions): Parameters<typeof stackUp>[0] {
  return {
    ...options,
    directory: resolve(options.directory),
    onProgress: showProgress,
  };
}

const secretOutputs: ReadonlySet<string> = new Set(["password", "connectionString", "users"]);

/** Everything but the secrets: what is printed ends up in logs. */
function publicPart({ outputs, ...rest }: DeployedStack): object {
  const shown = Object.entries(outputs).filter(([name]) => !secretOutputs.has(name));
  return { ...rest, outputs: Object.fromEntries(shown) };
}

function describe({ target, outputs, endpoint, environmentFile }: DeployedStack): string {
  const rows = Object.entries(outputs)
    .filter(([name]) => !secretOutputs.has(name) && name !== "caCertificate")
    .map(([name, value]) => `  ${name.padEnd(18)} ${value}`);
  return [
    "",
    `Redis ${endpoint.redisVersion} works on ${target}: SET and GET in ${endpoint.roundTripMs} ms, ` +
      `a ${endpoint.role} with ${endpoint.connectedReplicas} replicas.`,
    "",
    ...rows,
    "",
    `Work on it with plain pulumi and kubectl:  . ${environmentFile}`,
    "  pulumi config set sentinel:quorum 3 && pulumi up",
    "  pulumi stack output password --show-secrets",
    "",
  ].join("\n");
}
