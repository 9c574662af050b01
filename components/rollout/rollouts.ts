import { setTimeout as sleep } from "node:timers/promises";
import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Naming } from "../naming.ts";
import type { Workload } from "../topology/workload.ts";
import { connectApi } from "./cluster-api.ts";
import { findLeaving, type LeavingArgs, leavingOf } from "./leaving.ts";
import type { RolloutState } from "./state.ts";
import {
  RolloutError,
  rolloutOf,
  type Subject,
  stateOf,
  type Target,
  untilDone,
  type Watched,
} from "./watch.ts";

/**
 * On every Deployment. The provider applies it and goes on: what it would wait for itself is no rollout (docs/cluster.md), and for
 * a pod that can't start it would wait for ten minutes. Deleting is waited for as ever.
 */
export const awaitedByProgram = { "pulumi.com/waitFor": "jsonpath={.metadata.uid}" } as const;

export interface RolloutsArgs {
  readonly namespace: string;
  readonly naming: Pick<Naming, "object" | "workload" | "pods" | "kind">;
  /** Of the kubeconfig; unset: the current one. */
  readonly context: string | undefined;
  /** Longest time in seconds until a Deployment's pods are ready. */
  readonly timeoutSeconds: number;
}

/**
 * Takes care that a change takes one pod of a kind away at a time, whatever the provider waits for: the program itself asks the
 * cluster. Nothing is asked in a preview, nor without an engine (under Pulumi's mocks): there are no rollouts then.
 */
export class Rollouts {
  readonly #args: RolloutsArgs;
  #watched: Promise<Watched> | undefined;
  /** Instances that are there and not wanted any more. */
  #leaving: { readonly names: readonly string[]; readonly args: LeavingArgs } | undefined;

  constructor(args: RolloutsArgs) {
    this.#args = args;
  }

  /** Undefined where nothing is changed. */
  static ofThisRun(args: RolloutsArgs): Rollouts | undefined {
    return pulumi.runtime.isDryRun() || process.env.PULUMI_NODEJS_ENGINE === undefined
      ? undefined
      : new Rollouts(args);
  }

  /**
   * The order in which workloads of a kind are rolled: those that aren't ready first. To roll them takes nothing away, and this
   * very change may be what they need. The others stay in their order.
   */
  async order(workloads: readonly Workload[]): Promise<readonly Workload[]> {
    const sick = new Set<string>();
    try {
      const watched = await this.#watch();
      for (const workload of workloads) {
        if ((await watched.api.deployment(this.#args.namespace, this.#target(workload).name)) === undefined)
          continue;
        if ((await stateOf(this.#target(workload), watched)).kind !== "done") sick.add(workload.name);
      }
    } catch {
      // The provider will say that the cluster doesn't answer.
    }
    const rank = ({ name }: Workload): number => (sick.has(name) ? 0 : 1);
    return workloads.toSorted((one, other) => rank(one) - rank(other));
  }

  /**
   * Sees to it that no instance leads, or is going to, that isn't wanted any more: before anything is changed, and from then on before each
   * step. Those who are started with the new list of instances couldn't reach it.
   *
   * @param wanted all Redis instances of the program.
   * @throws {pulumi.ResourceError} when none that stays can lead.
   */
  async lead(wanted: readonly Workload[]): Promise<void> {
    const { namespace, naming, timeoutSeconds } = this.#args;
    const staying = new Map(
      wanted.map(({ name, environment }) => [naming.object(name), environment.REDIS_SELF ?? ""]),
    );
    const instancePrefix = naming.object("redis-instance-");
    const args: LeavingArgs = {
      ...{ namespace, staying, labels: naming.kind("redis") },
      isInstance: (name) =>
        name.startsWith(instancePrefix) && /^\d+$/.test(name.slice(instancePrefix.length)),
      // Until the next step, which has the same bound, and the removal after the last one.
      forMs: 2 * timeoutSeconds * 1000,
    };
    let names: string[];
    try {
      names = await findLeaving((await this.#watch()).api, args);
    } catch {
      // The provider will say that the cluster doesn't answer.
      return;
    }
    if (names.length === 0) return;
    this.#leaving = { names, args };
    await this.#leave();
  }

  async #leave(): Promise<void> {
    if (this.#leaving === undefined) return;
    const { names, args } = this.#leaving;
    await this.wait(leavingOf(names, args), "before instances are removed");
  }

  /**
   * Resolves when the pods of a workload may be taken away: all others of its kind are ready.
   *
   * @param others of the same kind; those that the cluster doesn't have yet don't count.
   */
  async turnOf(workload: Workload, others: readonly Workload[]): Promise<void> {
    const { namespace, naming } = this.#args;
    for (const other of others) {
      const target = this.#target(other);
      const look = async (watched: Watched): Promise<RolloutState> => {
        const exists = async ({ name }: Workload): Promise<boolean> =>
          (await watched.api.deployment(namespace, naming.object(name))) !== undefined;
        // What isn't there yet can't be taken away, and is missed by nobody.
        if (!(await exists(workload)) || !(await exists(other))) return { kind: "done" };
        return stateOf(target, watched);
      };
      await this.wait({ ...rolloutOf(target), look }, `before ${workload.name} is rolled, ${other.name}`);
    }
    await this.#leave();
  }

  /** Resolves when a Deployment's pods are all of its new template and ready. */
  async finished(deployment: k8s.apps.v1.Deployment, workload: Workload): Promise<void> {
    const { uid, generation } = await known(deployment.metadata);
    // Not in a cluster: left out by --target.
    if (uid === undefined) return;
    const applied = { uid, generation };
    await this.wait(rolloutOf({ ...this.#target(workload), applied }), "rolling", deployment);
  }

  /**
   * Waits until something is done, and tells why it isn't yet.
   *
   * @throws {pulumi.ResourceError} with what a person needs to mend it.
   */
  async wait(subject: Subject, purpose: string, resource?: pulumi.Resource): Promise<void> {
    const say = (text: string): Promise<void> => pulumi.log.info(text, resource);
    try {
      await untilDone(subject, {
        ...(await this.#watch()),
        timeoutMs: this.#args.timeoutSeconds * 1000,
        onProgress: (reason) => void say(`${purpose}: ${reason}`),
        now: () => performance.now(),
        sleep: (ms) => sleep(ms),
      });
    } catch (error) {
      if (error instanceof RolloutError) throw new pulumi.ResourceError(error.message, resource, true);
      throw error;
    }
  }

  #watch(): Promise<Watched> {
    if (this.#watched === undefined) {
      this.#watched = this.#beginWatching();
      // The next one asks again.
      this.#watched.catch(() => {
        this.#watched = undefined;
      });
    }
    return this.#watched;
  }

  async #beginWatching(): Promise<Watched> {
    const { namespace, naming, context } = this.#args;
    const api = await connectApi(context);
    const pods = await api.pods(namespace, naming.pods());
    const earlierRestarts = new Map<string, number>();
    for (const { metadata, status } of pods) {
      const restarts = (status?.containerStatuses ?? []).map(({ restartCount }) => restartCount);
      earlierRestarts.set(metadata?.uid ?? "", Math.max(0, ...restarts));
    }
    return { api, earlierRestarts };
  }

  #target(workload: Workload): Target {
    const { namespace, naming } = this.#args;
    const { name, replicas } = workload;
    return { namespace, name: naming.object(name), labels: naming.workload(workload), replicas };
  }
}

function known<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}
