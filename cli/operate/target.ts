import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { HandOverAnswer, HandOverOrder } from "../../runtime/hand-over-order.ts";
import { UserError } from "../../runtime/user-error.ts";
import type { BackupAnswer } from "../../sentinel-image/backup/backup-orders.ts";
import { isKubectlPlugin } from "../called-as.ts";
import { LocalTopology } from "../local/local-topology.ts";
import { localDirectory } from "../state-directory.ts";
import { currentNamespace, Kubectl } from "./kubectl.ts";
import { localTarget } from "./local-target.ts";
import type { LogQuery, PartLog } from "./logs/part-log.ts";
import type { Observation } from "./observation.ts";
import type { StandingOrders } from "./place-orders.ts";
import type { Surroundings } from "./report/surroundings.ts";
import { StackScale } from "./stack-scale.ts";
import { nothingThere, stackLabel, stackTarget } from "./stack-target.ts";

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
  /** Writes and removes orders on an instance's volume. @param name its name. @throws {UserError} when its volume can't be reached. */
  placeOrders(name: string, orders: StandingOrders): Promise<void>;
  /** Orders the instance that leads to hand its role over. @param name its name. @throws {UserError} when it doesn't answer. */
  orderHandOver(name: string, order: HandOverOrder): Promise<HandOverAnswer>;
  /** Orders a backup from an instance. @param id any new word. @param told what comes of it, step by step. @throws {UserError} when it doesn't answer. */
  orderBackup(name: string, id: string, told: (answer: BackupAnswer) => void): Promise<BackupAnswer>;
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

/** Finds a deployed stack, to change the number of its pods. @throws {UserError} when the topology of this machine is meant. */
export async function openStackScale(options: TargetOptions): Promise<StackScale> {
  const namespace = await namespaceOf(options);
  if (namespace === undefined) {
    throw new UserError(
      "Only a deployed stack can hibernate: name it, --stack dev. The one of this machine keeps its data at redis-ha local down.",
    );
  }
  const kubectl = new Kubectl({ namespace, context: options.context });
  const stack = new StackScale(kubectl, stackLabel(options.namePrefix ?? ""));
  if ((await stack.list()).length === 0) throw nothingThere(kubectl, options.namePrefix ?? "");
  return stack;
}

/** Undefined: the topology of this machine is meant. */
async function namespaceOf(
  options: Pick<TargetOptions, "stack" | "namespace" | "context">,
): Promise<string | undefined> {
  if (options.namespace !== undefined) return options.namespace;
  if (options.stack !== undefined) return `redis-ha-${options.stack}`;
  return isKubectlPlugin ? currentNamespace(options.context) : undefined;
}
