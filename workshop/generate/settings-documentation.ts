import { allSettings } from "../../settings/parse-settings.ts";

/** The lines between which generated text stands, in Markdown and in YAML. */
export const markers = {
  markdown: { begin: "<!-- settings: generated -->", end: "<!-- settings: end -->" },
  yaml: { begin: "# settings: generated", end: "# settings: end" },
} as const;

/** Name of the Pulumi project: only keys of this namespace may have a type and a default in Pulumi.yaml. */
const project = "redis-ha";

/** The table of all keys for the README. */
export function settingsTable(): string {
  const rows = allSettings().map(([name, { description, allowed, fallback, derived }]) => {
    const standard = fallback === undefined ? derived : `\`${fallback}\``;
    return `| \`${name}\` | ${standard} | ${description} | ${allowed} |`;
  });
  return ["| key | default | meaning | allowed |", "|---|---|---|---|", ...rows].join("\n");
}

/** The `config` section of Pulumi.yaml: every key is declared. An empty value means that it is derived or unset. */
export function settingsDeclaration(): string {
  const declarations = allSettings().map(([name, { description, type, fallback, derived }]) => {
    const value = JSON.stringify(fallback ?? "");
    const meaning = derived === undefined ? description : `${description} Empty: ${derived}.`;
    const lines = [`  ${name}:`, `    description: ${JSON.stringify(meaning)}`];
    if (name.startsWith(`${project}:`)) lines.push(`    type: ${type}`, `    default: ${value}`);
    else lines.push(`    value: ${value}`);
    return lines.join("\n");
  });
  return ["config:", ...declarations].join("\n");
}

/**
 * `text` with new lines between the two markers.
 *
 * @throws {Error} when the markers are not there exactly once.
 */
export function replaceBetween(
  text: string,
  { begin, end }: { readonly begin: string; readonly end: string },
  content: string,
): string {
  const parts = text.split(new RegExp(`(^${begin}$)[\\s\\S]*?(^${end}$)`, "m"));
  const [head, , , tail] = parts;
  if (parts.length !== 4)
    throw new Error(`'${begin}' … '${end}' must be there once, found ${(parts.length - 1) / 3}`);
  return `${head}${begin}\n${content}\n${end}${tail}`;
}
