import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { UserError } from "../../runtime/user-error.ts";
import type { HandOverAnswer, HandOverOrder } from "../../sentinel-image/hand-over-orders.ts";
import { isKubectlPlugin } from "../called-as.ts";
import { LocalTopology } from "../local/local-topology.ts";
import { localDirectory } from "../state-directory.ts";
import { currentNamespace, Kubectl } from "./kubectl.ts";
import { localTarget } from "./local-target.ts";
import type { LogQuery, PartLog } from "./logs/part-log.ts";
import type { Observation } from "./observation.ts";
import type { Surroundings } from "./report/surroundings.ts";
import { stackTarget } from "./stack-target.ts";

/** A topology that an operator works on: of this machine, or deployed. */
export interface Target {
  /** Looks at every part once, all at the same time. @param logs also at what they wrote, which takes longer. */
  observe(options: { readonly logs: boolean }): Promise<Observation>;
  /** Whether it runs on a cluster, whose clock isn't this machine's. */
  readonly isDeployed: boolean;
  /** What the parts wrote, all read at the same time. @throws {UserError} when there is no such part. */
  readLogs(query: LogQuery): Promise<PartLog[]>;
  /** Looks at what the parts run on. */
  lookAround(): Promise<Surroundings>;
  /** Orders the instance that leads to hand its role over. @param name its name. @throws {UserError} when it doesn't answer. */
  orderHandOver(name: string, order: HandOverOrder): Promise<HandOverAnswer>;
}

/** Which topology an operator means. */
export interface TargetOptions {
  readonly dir: string;
  readonly stack?: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly namePrefix?: string;
}

const otherwise = isKubectlPlugin
  ? "the one in the current context's namespace"
  : "the topology of this machine (redis-ha local up)";

/** Gives a command the options by which its topology is found. @param json what `--json` does. */
export function withTargetOptions(command: Command, json = "print the result as JSON"): Command {
  return command
    .option("--stack <name>", `a deployed stack; without it ${otherwise}`)
    .option("--namespace <name>", "the stack's namespace (default: redis-ha-<stack>)")
    .addOption(
      new Option("--context <name>", "context of your kubeconfig (default: the current one)").env("CONTEXT"),
    )
    .option("--name-prefix <prefix>", "the stack's redis-ha:namePrefix, if it has one")
    .option("--dir <path>", "directory of the topology of this machine", localDirectory)
    .option("--json", json);
}

/** Finds the topology. @throws {UserError} when there is none. */
export async function openTarget(options: TargetOptions): Promise<Target> {
  const { dir, context, namePrefix } = options;
  const namespace = await namespaceOf(options);
  if (namespace !== undefined) return stackTarget(new Kubectl({ namespace, context }), namePrefix ?? "");
  const local = LocalTopology.open(resolve(dir));
  if (local === undefined) {
    throw new UserError(
      `No local redis-ha was ever started in ${resolve(dir)}: redis-ha local up. For a deployed one name it: --stack dev.`,
    );
  }
  return localTarget(local);
}

/** Undefined: the topology of this machine is meant. */
async function namespaceOf(
  options: Pick<TargetOptions, "stack" | "namespace" | "context">,
): Promise<string | undefined> {
  if (options.namespace !== undefined) return options.namespace;
  if (options.stack !== undefined) return `redis-ha-${options.stack}`;
  return isKubectlPlugin ? currentNamespace(options.context) : undefined;
}
