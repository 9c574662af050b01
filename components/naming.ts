import { stackLabel } from "../settings/stack-name.ts";
import { type ClusterNames, clusterNames, type PartKind } from "./topology/site.ts";
import type { Workload } from "./topology/workload.ts";

/** What all sets are part of. */
const product = "redis-ha";

/** What one set of Redis, Sentinels and proxies is called by. */
export interface NamingOptions {
  /** Name of the Pulumi stack. */
  readonly stack: string;
  /** Name of the component: the names of its resources begin with it, so that two live in one program. */
  readonly component: string;
  /** Names of its objects in the cluster begin with it, so that two live in one namespace; empty: without. */
  readonly prefix: string;
  /** Labels of all objects, beside the set's own. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** The names and labels of one set's objects: everything by which it is told apart from others. */
export class Naming implements ClusterNames {
  readonly stack: string;
  /** Name of the headless Service over all Sentinels. */
  readonly sentinels: string;
  /** Name of an object in the cluster: of the Deployment of a workload by the workload's. */
  readonly object: ClusterNames["object"];
  /** Name of a part's Service. */
  readonly service: ClusterNames["service"];
  readonly #component: string;
  readonly #prefix: string;
  readonly #labels: Readonly<Record<string, string>>;

  constructor({ stack, component, prefix, labels = {} }: NamingOptions) {
    this.stack = stack;
    ({ sentinels: this.sentinels, object: this.object, service: this.service } = clusterNames(prefix));
    this.#component = component;
    this.#prefix = prefix;
    this.#labels = labels;
  }

  /** Pulumi's name of a resource. */
  resource(name: string): string {
    return `${this.#component}-${name}`;
  }

  /** Labels of every object of the set. Selectors never use these alone, so they may change. */
  common(): Record<string, string> {
    return {
      ...this.#labels,
      ...this.pods(),
      "app.kubernetes.io/instance": stackLabel(this.stack),
      "app.kubernetes.io/part-of": product,
      "app.kubernetes.io/managed-by": "pulumi",
    };
  }

  /**
   * Selects all pods of the set in its namespace. Every selector has this label, so that a set with a prefix is apart from one
   * without, whose selectors are older than prefixes are and can't change.
   */
  pods(): Record<string, string> {
    return { "app.kubernetes.io/name": this.#prefix === "" ? product : `${product}-${this.#prefix}` };
  }

  /** Selects all pods of one kind: for the Service of all Sentinels, disruption budgets and spreading. */
  kind(kind: PartKind): Record<string, string> {
    return { ...this.pods(), "app.kubernetes.io/component": kind };
  }

  /** Selects the pods of one workload. A Deployment's selector can't change: neither can these two. */
  workload({ name }: Workload): Record<string, string> {
    return { ...this.pods(), "redis-ha/workload": this.object(name) };
  }

  /** Labels of a workload's own objects and pods. */
  labelsOf(workload: Workload): Record<string, string> {
    return { ...this.common(), ...this.kind(workload.part.kind), ...this.workload(workload) };
  }
}
