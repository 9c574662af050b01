import { messageOf } from "../../../runtime/log.ts";
import type { Kubectl } from "../kubectl.ts";
import type { Missing, ReportDocument, Surroundings } from "./surroundings.ts";
import { settingsOf } from "./tidy-objects.ts";

/** Everything of a stack but its Secrets. Each is asked for alone: who may not see one kind still gets the others. */
const kinds = [
  "pods",
  "deployments",
  "replicasets",
  "services",
  "persistentvolumeclaims",
  "poddisruptionbudgets",
  "networkpolicies",
] as const;

interface NamedObject {
  readonly metadata: { readonly name: string };
  readonly involvedObject?: { readonly name?: string };
}

/** The objects and events of a stack, and the versions of cluster and kubectl, as the user's kubectl shows them. Secrets aren't asked for. */
export async function lookAroundStack(kubectl: Kubectl, label: string): Promise<Surroundings> {
  const documents: ReportDocument[] = [];
  const missing: Missing[] = [];
  const ask = async (what: string, args: readonly string[]): Promise<unknown> => {
    try {
      return JSON.parse(await kubectl.run([...args, "--output", "json"]));
    } catch (error) {
      missing.push({ what, why: messageOf(error) });
      return undefined;
    }
  };
  const itemsOf = (list: unknown): NamedObject[] =>
    (list as { items?: NamedObject[] } | undefined)?.items ?? [];
  const [version, events, ...lists] = await Promise.all([
    ask("versions of cluster and kubectl", ["version"]),
    ask("events", ["get", "events"]),
    ...kinds.map((kind) => ask(kind, ["get", kind, "--selector", label])),
  ]);
  if (version !== undefined) documents.push({ path: "kubernetes.json", content: version as object });
  const names: string[] = [];
  for (const [i, list] of lists.entries()) {
    if (list === undefined) continue;
    const items = itemsOf(list);
    names.push(...items.map(({ metadata }) => metadata.name));
    documents.push({ path: `objects/${kinds[i]}.json`, content: items });
    if (kinds[i] === "deployments") documents.push({ path: "settings.json", content: settingsOf(items) });
  }
  if (events !== undefined) {
    // Others may live in the namespace. A pod that is gone has the name of its Deployment in its own.
    const own = itemsOf(events).filter(({ involvedObject = {} }) =>
      names.some((name) => involvedObject.name === name || involvedObject.name?.startsWith(`${name}-`)),
    );
    documents.push({ path: "objects/events.json", content: own });
  }
  return { documents, missing, secrets: [] };
}
