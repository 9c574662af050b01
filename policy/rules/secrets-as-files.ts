import { containersOf, isKind, metadataOf, podTemplateOf, type Texts } from "../kubernetes-objects.ts";
import type { ResourceRule, StackResource } from "../rule.ts";

/** Names of what is secret itself; that of a file or a Secret isn't. */
const secretName = /(^|[_./-])(PASSWORD|PASSWD|PASS|SECRET|TOKEN|AUTH|CREDENTIALS?|PRIVATE_KEY|API_KEY)$/i;
/** Options of the programs here that take a password, and credentials in a URL. */
const secretOption = /(^|\s)--?(requirepass|masterauth|pass|password|auth-pass|token)(=|\s|$)/i;
const secretText = /[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY-----/i;

/**
 * Environments and arguments can be read by everybody who may see the pod or the machine's processes, and end up in crash
 * reports; ConfigMaps and annotations by everybody who may read the namespace.
 */
export const secretsAsFiles: ResourceRule = {
  name: "secrets-as-files",
  description:
    "Secrets reach a program as files: never by environment, arguments, ConfigMaps or annotations.",
  check(resource) {
    return [
      ...podProblems(resource),
      ...textProblems("annotation", metadataOf(resource).annotations),
      ...textProblems("annotation", podTemplateOf(resource)?.metadata?.annotations),
      ...(isKind(resource, "ConfigMap") ? textProblems("key", resource.props.data as Texts) : []),
    ];
  },
};

function podProblems(resource: StackResource): string[] {
  const template = podTemplateOf(resource);
  if (template === undefined) return [];
  return containersOf(template).flatMap(({ name = "", env = [], envFrom = [], command = [], args = [] }) => {
    const problems: string[] = [];
    for (const variable of env) {
      if (variable.valueFrom?.secretKeyRef !== undefined)
        problems.push(`environment variable ${variable.name} comes from a Secret: mount it as a file`);
      else if (variable.value && (secretName.test(variable.name) || secretText.test(variable.value)))
        problems.push(`environment variable ${variable.name} looks like a secret: mount it as a file`);
    }
    if (envFrom.some(({ secretRef }) => secretRef !== undefined))
      problems.push("its environment comes from a Secret: mount it as a file");
    const line = [...command, ...args].join(" ");
    if (secretOption.test(line) || secretText.test(line))
      problems.push("its arguments look like a secret: mount it as a file");
    return problems.map((problem) => `container '${name}': ${problem}`);
  });
}

function textProblems(what: string, texts: Texts | undefined): string[] {
  return Object.entries(texts ?? {})
    .filter(([key, value]) => secretName.test(key) || secretText.test(String(value)))
    .map(([key]) => `${what} '${key}' looks like a secret: use a Secret`);
}
