import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../../runtime/user-error.ts";
import { ensurePulumi } from "../cluster/programs.ts";
import { installProviders } from "../cluster/providers/install.ts";
import { checkEndpoint, type EndpointReport } from "./check-endpoint.ts";
import { connectTarget } from "./connect-target.ts";
import type { ConnectedTarget } from "./connected-target.ts";
import { PrivatePulumi } from "./private-pulumi.ts";
import { chooseTarget, readMachineFacts } from "./target.ts";

/** What `stack up` and `stack down` are told. */
export interface StackOptions {
  /** Name of the Pulumi stack. */
  readonly stack: string;
  /** Context to deploy to; unset: kind, else the embedded cluster. */
  readonly context?: string | undefined;
  /** Registry for the images; unset: the target's own, else what the configuration says. */
  readonly registry?: string | undefined;
  /** Directory for clusters, state and passphrase. */
  readonly directory: string;
  /** One line for each step. */
  readonly onProgress: (line: string) => void;
}

/** A deployed stack. */
export interface DeployedStack {
  readonly target: string;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly endpoint: EndpointReport;
  /** A file to source: then plain `pulumi` and `kubectl` work on this stack. */
  readonly environmentFile: string;
}

const project = fileURLToPath(new URL("../..", import.meta.url));

/** Everything from a bare machine to a working endpoint. */
export async function stackUp(options: StackOptions): Promise<DeployedStack> {
  const { stack, onProgress } = options;
  const { pulumi, target } = await connect(options);
  const environmentFile = writeEnvironmentFile(options.directory, pulumi.environment);
  await pulumi.ensureStack(stack);
  await pulumi.configure(stack, {
    "redis-ha:context": target.context,
    ...(target.registry === undefined ? {} : { "images:registry": target.registry }),
  });
  onProgress(`pulumi up of stack '${stack}' on ${target.description}`);
  await pulumi.run(["up", "--yes", "--skip-preview", "--stack", stack], { show: true });
  const outputs = await pulumi.outputs(stack);
  onProgress("checking the endpoint: SET, GET, INFO");
  const endpoint = await checkEndpoint({
    namespace: String(outputs.namespace),
    authority: String(outputs.connectionString).startsWith("rediss:")
      ? String(outputs.caCertificate ?? "")
      : undefined,
    username: decodeURIComponent(new URL(String(outputs.connectionString)).username) || undefined,
    password: String(outputs.password),
    context: target.context,
    environment: target.environment,
  });
  return { target: target.description, outputs, endpoint, environmentFile };
}

/** A stack that is there, and how kubectl reaches its cluster. */
export interface OpenStack {
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly context: string;
  /** KUBECONFIG and PATH, where they differ from this process's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Changes its configuration, and deploys it again. */
  readonly pulumi: {
    readonly configure: (values: Readonly<Record<string, string>>) => Promise<void>;
    readonly up: () => Promise<unknown>;
  };
}

/** Reads what a deployed stack has as outputs, secrets included. @throws {UserError} when it isn't deployed. */
export async function openStack(options: StackOptions): Promise<OpenStack> {
  const { pulumi, target } = await connect(options);
  await pulumi.ensureStack(options.stack);
  const outputs = await pulumi.outputs(options.stack);
  if (outputs.namespace === undefined)
    throw new UserError(
      `Stack '${options.stack}' isn't deployed: redis-ha stack up --stack ${options.stack}.`,
    );
  const { stack } = options;
  return {
    outputs,
    context: target.context,
    environment: target.environment,
    pulumi: {
      configure: (values) => pulumi.configure(stack, values),
      up: () => pulumi.run(["up", "--yes", "--skip-preview", "--stack", stack]),
    },
  };
}

/** `pulumi destroy`. The volumes stay unless the configuration says otherwise. */
export async function stackDown(options: StackOptions): Promise<void> {
  const { pulumi } = await connect(options);
  await pulumi.ensureStack(options.stack);
  options.onProgress(`pulumi destroy of stack '${options.stack}'`);
  await pulumi.run(["destroy", "--yes", "--skip-preview", "--stack", options.stack], { show: true });
}

async function connect(options: StackOptions): Promise<{ pulumi: PrivatePulumi; target: ConnectedTarget }> {
  const { context, directory, registry, onProgress } = options;
  const chosen = chooseTarget(context, await readMachineFacts());
  const { binDir } = await ensurePulumi({ onProgress });
  const target = await connectTarget(chosen, { directory, registry, onProgress });
  const home = join(homedir(), ".cache", "redis-ha", "pulumi-home");
  const pulumi = new PrivatePulumi({
    project,
    directory: join(directory, "pulumi"),
    home,
    binDirectories: [
      join(project, "node_modules", ".bin"),
      // What runs the policy pack.
      join(project, "policy", "bin"),
      ...(binDir === undefined ? [] : [binDir]),
    ],
    targetEnvironment: target.environment,
  });
  for (const { name, version, genuine } of await installProviders({
    pulumiHome: home,
    environment: pulumi.environment,
    onProgress,
  })) {
    if (!genuine) {
      onProgress(
        `provider ${name} ${version}: a stand-in, since the genuine plugin can't be downloaded here`,
      );
    }
  }
  return { pulumi, target };
}

/** Writes what an own shell needs for plain `pulumi` and `kubectl` on this stack. Holds paths, no secrets. */
function writeEnvironmentFile(directory: string, environment: Readonly<Record<string, string>>): string {
  const file = join(directory, "env");
  const lines = Object.entries(environment).map(
    ([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`,
  );
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}
