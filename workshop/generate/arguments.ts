import { definitions, ungrouped } from "../../settings/definitions.ts";
import type { Setting } from "../../settings/kinds.ts";

const groupNames: Readonly<Record<string, string>> = {
  redis: "The Redis instances.",
  sentinel: "The Sentinels.",
  proxy: "The proxies, and the endpoint that clients use.",
  tls: "Encryption of connections.",
  network: "Who may connect to whom.",
  images: "The images that pods run.",
};

/** `settings/args.ts`: the arguments of the component, from the same definitions as the keys of a stack. */
export function argumentsFile(): string {
  const groups = Object.entries(definitions as Definitions).map(
    ([namespace, keys]) => [namespace, Object.entries(keys).filter(([, key]) => !key.programOnly)] as const,
  );
  const interfaces = groups
    .filter(([namespace]) => namespace !== ungrouped)
    .map(([namespace, keys]) => {
      const more = namespace === "images" ? revisions : "";
      return `/** ${groupNames[namespace]} */\nexport interface ${typeName(namespace)} {\n${keys.map((key) => property(namespace, ...key)).join("\n")}${more}\n}`;
    });
  const own = groups.find(([namespace]) => namespace === ungrouped)?.[1] ?? [];
  const members = groups
    .filter(([namespace]) => namespace !== ungrouped)
    .map(([namespace]) => {
      const optional = namespace === "images" ? "" : "?";
      return `  /** ${groupNames[namespace]} */\n  readonly ${namespace}${optional}: ${typeName(namespace)}${optional === "" ? "" : " | undefined"};`;
    });
  return `${header}\n${interfaces.join("\n\n")}\n\n/** The arguments of {@link RedisHa}. Every mistake in them is told at once, before any resource is declared. */\nexport interface RedisHaArgs {\n${[...members, ...own.map((key) => property(ungrouped, ...key))].join("\n")}\n}\n`;
}

type Definitions = Readonly<Record<string, Readonly<Record<string, Setting<unknown>>>>>;

const header = `// Written by \`npm run generate\` from settings/definitions.ts: change it there.
import type { Input } from "@pulumi/pulumi";
import type { ApplicationUser } from "../runtime/access/acl-files.ts";
import type { Affinity, EgressRule, ExtraContainer, ExtraVolume, IngressRule, Labels, Mount, Patches, Toleration, Variable } from "./object-shapes.ts";
`;

const revisions = `
  /** Changes whenever the Redis and Sentinel image does: for an image that is built again under the same name. */
  readonly sentinelRevision?: Input<string> | undefined;
  /** The same for the proxy image. */
  readonly proxyRevision?: Input<string> | undefined;`;

function typeName(namespace: string): string {
  return `${namespace[0]?.toUpperCase()}${namespace.slice(1)}Args`;
}

function property(namespace: string, key: string, setting: Setting<unknown>): string {
  const { description, allowed, fallback, derived, argument } = setting;
  const isImage = namespace === "images" && (key === "sentinel" || key === "proxy");
  const standard = isImage ? "needed" : fallback === undefined ? derived : String(fallback);
  const lines = [description, "", `Allowed: ${allowed}. Default: ${standard}.`];
  const type = isImage ? "Input<string>" : argument;
  return `${["  /**", ...lines.flatMap(wrap).map((line) => `   * ${line}`.trimEnd()), "   */"].join("\n")}\n  readonly ${key}${isImage ? "" : "?"}: ${type}${isImage ? "" : " | undefined"};`;
}

/** Lines of at most 116 characters. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > 115) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
