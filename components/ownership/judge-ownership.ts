import type { FixedKind } from "./fixed-names.ts";
import { type Claimant, type Ownership, ownershipOf, stackMark } from "./marks.ts";
import type { FoundObject, Survey } from "./survey.ts";

/** The place that a stack wants. */
export interface Place {
  readonly namespace: string;
  /** Whether the namespace is the stack's own. */
  readonly createNamespace: boolean;
  /** `kubectl`, with the context where one is named. */
  readonly kubectl: string;
}

const elsewhere = "another namespace (pulumi config set redis-ha:namespace …)";

/**
 * What stands there and isn't proven to be this stack's. Each problem is a sentence: what was found, what is allowed, what to do.
 * Pure.
 */
export function ownershipProblems(survey: Survey, who: Claimant, place: Place): string[] {
  const { namespace: name, createNamespace, kubectl } = place;
  const { namespace } = survey;
  if (namespace === undefined) {
    return createNamespace
      ? []
      : [
          `Namespace '${name}' doesn't exist and 'redis-ha:createNamespace' is false: create it (${kubectl} create namespace ${name}), or let the stack do it (pulumi config rm redis-ha:createNamespace).`,
        ];
  }
  if (namespace.terminating) {
    return [`Namespace '${name}' is being deleted: wait until it is gone, or choose ${elsewhere}.`];
  }
  const owner = ownershipOf(namespace, who);
  const problems: string[] = [];
  if (owner.kind === "foreign") {
    problems.push(
      `Namespace '${name}' belongs to the stack '${owner.stack}', and this one is '${who.stack}': a namespace holds one stack. Choose ${elsewhere}.`,
    );
  } else if (owner.kind === "unmarked" && createNamespace) {
    problems.push(
      `Namespace '${name}' exists and carries no mark of this stack: redis-ha changes only what is its own. Use it as it is (pulumi config set redis-ha:createNamespace false), choose ${elsewhere}, or hand it over, with Pod Security 'restricted' for all its pods (${kubectl} annotate namespace ${name} ${stackMark}=${who.stack}).`,
    );
  }
  // What follows from it would only repeat it.
  if (owner.kind === "foreign") return problems;
  return [...problems, ...claimProblems(survey, who, place), ...objectProblems(survey, who, place, owner)];
}

function claimProblems({ claims }: Survey, who: Claimant, { namespace, kubectl }: Place): string[] {
  const problems: string[] = [];
  const terminating = claims.filter((claim) => claim.terminating);
  if (terminating.length > 0) {
    problems.push(
      `${list("PersistentVolumeClaim", terminating)} in namespace '${namespace}' will be deleted as soon as no pod uses it: wait for that, or choose ${elsewhere}.`,
    );
  }
  const owned = claims.map((claim) => ({ claim, owner: ownershipOf(claim, who) }));
  for (const [stack, group] of Map.groupBy(owned, ({ owner }) => foreignName(owner))) {
    if (stack === undefined) continue;
    const names = group.map(({ claim }) => claim.name);
    const whose = stack === "" ? "carries no mark of this stack" : `belongs to the stack '${stack}'`;
    problems.push(
      `${list(
        "PersistentVolumeClaim",
        group.map(({ claim }) => claim),
      )} in namespace '${namespace}' exists and ${whose}: choose ${elsewhere}, or hand it over with its data (${kubectl} --namespace ${namespace} annotate --overwrite persistentvolumeclaim ${names.join(" ")} ${stackMark}=${who.stack}).`,
    );
  }
  return problems;
}

/** The foreign stack's name, "" for nobody's, undefined for what may be adopted. */
function foreignName(owner: Ownership): string | undefined {
  if (owner.kind === "foreign") return owner.stack;
  return owner.kind === "unmarked" ? "" : undefined;
}

function objectProblems(survey: Survey, who: Claimant, place: Place, namespaceOwner: Ownership): string[] {
  const { namespace, kubectl } = place;
  const owners = [namespaceOwner, ...survey.claims.map((claim) => ownershipOf(claim, who))];
  const proven = owners.some(({ kind }) => kind === "proven");
  const otherState = owners.some((owner) => owner.kind === "namesake" && owner.otherState);
  const mine = (object: FoundObject): boolean => isLabelled(object, proven ? undefined : who.label);
  const problems: string[] = [];

  const strangers = survey.objects.filter((object) => !mine(object));
  if (strangers.length > 0) {
    problems.push(
      `${describe(strangers)} in namespace '${namespace}' has a name that this stack uses, but isn't its own: choose ${elsewhere}, or remove it.`,
    );
  }
  const running = survey.objects.filter((object) => object.kind !== "Secret" && mine(object));
  if (!proven && otherState && running.length > 0) {
    problems.push(
      `Namespace '${namespace}' holds a running stack '${who.stack}' that isn't in this state, with ${describe(running)}: choose ${elsewhere} or another stack name, or use the state that it was deployed with (pulumi login). If that state is lost, remove what runs, the volumes stay: ${kubectl} --namespace ${namespace} delete deployment,service,poddisruptionbudget,networkpolicy,secret --selector app.kubernetes.io/name=redis-ha.`,
    );
  }
  const pods = survey.pods.filter((pod) => !mine(pod) || pod.labels?.["redis-ha/workload"] === undefined);
  if (pods.length > 0) {
    problems.push(
      `${describe(pods)} in namespace '${namespace}' carries the label app.kubernetes.io/name=redis-ha, but isn't of this stack, whose NetworkPolicies and disruption budgets would hold for it: take the label off, or choose ${elsewhere}.`,
    );
  }
  return problems;
}

/** cert-manager writes the Secrets itself: they carry its own mark. */
function isLabelled(
  { kind, name, labels = {}, annotations = {} }: FoundObject,
  stack: string | undefined,
): boolean {
  if (kind === "Secret") return annotations["cert-manager.io/certificate-name"] === name;
  return (
    labels["app.kubernetes.io/name"] === "redis-ha" &&
    (stack === undefined || labels["app.kubernetes.io/instance"] === stack)
  );
}

/** `Deployment 'a', Service 'b' and 5 more`. */
function describe(objects: readonly FoundObject[]): string {
  const shown = objects.slice(0, 3).map(({ kind, name }) => `${kind} '${name}'`);
  return shown.join(", ") + (objects.length > 3 ? ` and ${objects.length - 3} more` : "");
}

function list(kind: FixedKind | "PersistentVolumeClaim", objects: readonly { name: string }[]): string {
  return `${kind} ${objects.map(({ name }) => `'${name}'`).join(", ")}`;
}
