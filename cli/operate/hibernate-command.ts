import { Command } from "commander";
import { UserError } from "../../runtime/user-error.ts";
import { confirm } from "./confirm.ts";
import type { StackScale } from "./stack-scale.ts";
import { openStackScale, type TargetOptions, withTargetOptions } from "./target.ts";
import { waitFor } from "./wait-for.ts";

interface HibernateOptions extends TargetOptions {
  readonly yes?: true;
  readonly json?: true;
}

/** A stop is bounded by the pods' grace, 60 s, and a start by loading the data. */
const phaseWithinMs = 300_000;

/** `redis-ha hibernate`: a stack without pods, that keeps its data. */
export function hibernateCommand(): Command {
  return withTargetOptions(new Command("hibernate"))
    .description(
      "Bring a deployed stack to zero pods, in an order that writes everything to the volumes: proxies, Sentinels, Redis. Clients are disconnected. The data stay; `wake` brings it back. Run it before a `pulumi up` is due, not during one.",
    )
    .option("--yes", "don't ask")
    .action(async (options: HibernateOptions) => {
      const stack = await openStackScale(options);
      const workloads = await stack.list();
      if (workloads.every(({ wanted }) => wanted === 0))
        throw new UserError("It hibernates already: redis-ha wake. Nothing was changed.");
      if (!options.yes)
        await confirm(`Stop all ${workloads.length} workloads of ${stack.namespace}? Clients lose it.`);
      for (const kind of ["proxy", "sentinel", "redis"] as const) {
        const names = workloads
          .filter((one) => one.kind === kind && one.wanted > 0)
          .map(({ object }) => object);
        await stack.sleep(names);
        await until(stack, names, ({ pods }) => pods === 0, "still has a pod");
        process.stderr.write(`${kind}: ${names.length} stopped\n`);
      }
      tell(
        options,
        { namespace: stack.namespace, hibernates: true },
        "It hibernates. redis-ha wake brings it back.",
      );
    });
}

/** `redis-ha wake`: the end of {@link hibernateCommand}. */
export function wakeCommand(): Command {
  return withTargetOptions(new Command("wake"))
    .description("Start a stack that hibernates: Redis and Sentinels first, then the proxies.")
    .action(async (options: HibernateOptions) => {
      const stack = await openStackScale(options);
      const asleep = (await stack.list()).filter(({ wanted }) => wanted === 0);
      if (asleep.length === 0) throw new UserError("Nothing of it hibernates. Nothing was changed.");
      for (const kinds of [["redis", "sentinel"], ["proxy"]] as const) {
        const some = asleep.filter(({ kind }) => (kinds as readonly string[]).includes(kind));
        await stack.wake(some);
        const names = some.map(({ object }) => object);
        await until(stack, names, ({ ready, wanted }) => wanted > 0 && ready === wanted, "isn't ready");
        process.stderr.write(`${kinds.join(" and ")}: ${names.length} started\n`);
      }
      tell(options, { namespace: stack.namespace, hibernates: false }, "It is awake.");
    });
}

async function until(
  stack: StackScale,
  names: readonly string[],
  reached: (one: { readonly pods: number; readonly ready: number; readonly wanted: number }) => boolean,
  otherwise: string,
): Promise<void> {
  await waitFor(
    async () => {
      const late = (await stack.list()).filter((one) => names.includes(one.object) && !reached(one));
      return late.length === 0 ? undefined : `${late.map(({ object }) => object).join(", ")} ${otherwise}`;
    },
    {
      withinMs: phaseWithinMs,
      everyMs: 500,
      late: (found) =>
        `After ${phaseWithinMs / 1000} s: ${found}. kubectl -n ${stack.namespace} describe pod. The command may be repeated.`,
    },
  );
}

function tell({ json }: HibernateOptions, result: object, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(result, null, 2) : text}\n`);
}
