import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings/resolve-settings.ts";
import { hasCluster, openKubeconfig } from "./cluster-access.ts";
import type { FixedNames } from "./fixed-names.ts";
import { ownershipProblems } from "./judge-ownership.ts";
import { classProblems, storageProblems } from "./judge-storage.ts";
import type { Claimant } from "./marks.ts";
import { emptySurvey, type Survey, SurveyError, surveyNamespace } from "./survey.ts";

/**
 * Looks, in previews too, whether the stack may be where its settings want it, before any object of the cluster is declared.
 *
 * @param pods labels that the set's policies and budgets select its pods by.
 * @returns what is there; nothing where there is no cluster to ask.
 * @throws {pulumi.RunError} that lists everything that stands in the way.
 */
export async function checkPlace(
  { namespace, createNamespace, context }: Settings["deployment"],
  names: FixedNames,
  who: Claimant,
  pods: Readonly<Record<string, string>>,
): Promise<Survey> {
  if (!hasCluster()) return emptySurvey;
  const config = await openKubeconfig(context);
  const podSelector = Object.entries(pods)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const survey = await surveyNamespace(config, { namespace, names, podSelector }).catch((error: unknown) => {
    throw error instanceof SurveyError ? new pulumi.RunError(error.message) : error;
  });
  const kubectl = context === undefined ? "kubectl" : `kubectl --context ${context}`;
  const problems = [
    ...ownershipProblems(survey, who, { namespace, createNamespace, kubectl }),
    ...storageProblems(survey, names.claims),
    ...classProblems(survey, names.claims),
  ];
  if (problems.length > 0) {
    const lines = problems.map((problem) => `  - ${problem}`).join("\n");
    throw new pulumi.RunError(`The stack can't be deployed there. Nothing was changed.\n${lines}`);
  }
  return survey;
}
