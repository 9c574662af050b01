import { resourceRules } from "../../policy/all-rules.ts";
import type { StackResource } from "../../policy/rule.ts";
import { oneWriterOfAClaim } from "../../policy/rules/one-writer-of-a-claim.ts";
import type { podSettings } from "../../settings/pod-settings.ts";
import { problemsOfBackupNames } from "../../settings/problems-of-backup.ts";
import type { Settings } from "../../settings/resolve-settings.ts";
import type { PartKind } from "../topology/site.ts";
import { type PlainObjects, plainObjects } from "./plain-objects.ts";
import { problemsOfPod } from "./pod-conflicts.ts";
import { changedPaths } from "./settled-paths.ts";

const kinds = ["redis", "sentinel", "proxy"] as const satisfies readonly PartKind[];
type PodKey = keyof ReturnType<typeof podSettings>;
const podKeys = [
  "podAnnotations",
  "podLabels",
  "extraEnv",
  "extraVolumes",
  "extraMounts",
  "sidecars",
  "initContainers",
  "patches",
] as const satisfies readonly PodKey[];

/** A setting whose effect on the objects is judged. */
interface Judged {
  readonly name: string;
  /** The settings without it. */
  readonly without: Settings;
}

/**
 * What is wrong with the objects that the settings make: a promise of redis-ha that a setting would break, with the reason. The
 * rules are those of policy/, so that nobody needs the pack for them, and a few about what redis-ha knows its own objects by.
 * Each setting answers for what isn't wrong without it. Pure.
 */
export function problemsOfObjects(settings: Settings): string[] {
  return [...problemsOfBackupNames(settings.backup), ...problemsOfJudged(settings)];
}

function problemsOfJudged(settings: Settings): string[] {
  const judged = settingsToJudge(settings);
  if (judged.length === 0) return [];
  const full = plainObjects(settings);
  return judged.flatMap(({ name, without }) => {
    const bare = plainObjects(without);
    const before = new Set(problemsOf(bare, bare));
    return [...new Set(problemsOf(full, bare))]
      .filter((problem) => !before.has(problem))
      .map((problem) => `Configuration '${name}' can't be: ${problem}.`);
  });
}

function settingsToJudge(settings: Settings): Judged[] {
  const ofParts = kinds.flatMap((kind) =>
    [...podKeys, ...(kind === "proxy" ? (["serviceAnnotations", "serviceLabels"] as const) : [])]
      .filter((key) => (settings[kind] as Readonly<Record<string, unknown>>)[key] !== undefined)
      .map((key) => ({
        name: `${kind}:${key}`,
        without: { ...settings, [kind]: { ...settings[kind], [key]: undefined } },
      })),
  );
  const ofAll = (["labels", "annotations"] as const)
    .filter((key) => settings.deployment[key] !== undefined)
    .map((key) => ({
      name: `redis-ha:${key}`,
      without: { ...settings, deployment: { ...settings.deployment, [key]: undefined } },
    }));
  return [...ofParts, ...ofAll];
}

/** Problems of all objects; `bare` are the same without one setting. */
function problemsOf({ deployments, service }: PlainObjects, bare: PlainObjects): string[] {
  return [
    ...deployments.flatMap((deployment, i) => problemsOfOne(deployment, bare.deployments[i] ?? deployment)),
    ...problemsOfOne(service, bare.service),
    ...readable(() =>
      oneWriterOfAClaim
        .check(deployments)
        .map(({ message }) => withReason(message, oneWriterOfAClaim.description)),
    ),
  ];
}

function problemsOfOne(resource: StackResource, bare: StackResource): string[] {
  return [
    ...readable(() =>
      resourceRules.flatMap((rule) =>
        rule.check(resource).map((problem) => withReason(problem, rule.description)),
      ),
    ),
    ...readable(() => changedPaths(resource, bare)),
    ...readable(() => problemsOfPod(resource, bare)),
  ];
}

function withReason(problem: string, rule: string): string {
  return `${problem} (${rule.replace(/\.$/, "")})`;
}

/** A patch may make anything of an object: what a rule can't even read is refused, too. */
function readable(check: () => string[]): string[] {
  try {
    return check();
  } catch {
    return [
      "what it makes isn't such an object any more: a field has a value of another kind than Kubernetes wants",
    ];
  }
}
