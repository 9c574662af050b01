import {
  type Argument,
  argumentsOf,
  type Group,
  revisions,
  ungroupedArguments,
} from "../../settings/arguments.ts";
import { groups } from "../../settings/definitions.ts";

/** `settings/args.ts`: the arguments of the component, from the same definitions as the keys of a stack. */
export function argumentsFile(): string {
  const names = Object.entries(groups) as [Group, string][];
  const interfaces = names.map(([group, about]) => {
    const more = group === "images" ? Object.entries(revisions).map(revision) : [];
    const properties = [...argumentsOf(group).map(property), ...more];
    return `/** ${about} */\nexport interface ${typeName(group)} {\n${properties.join("\n")}\n}`;
  });
  const members = names.map(([group, about]) => {
    const needed = group === "images";
    return `  /** ${about} */\n  readonly ${group}${needed ? "" : "?"}: ${typeName(group)}${needed ? "" : " | undefined"};`;
  });
  return `${header}\n${interfaces.join("\n\n")}\n\n/** The arguments of {@link RedisHa}. Every mistake in them is told at once, before any resource is declared. */\nexport interface RedisHaArgs {\n${[...members, ...ungroupedArguments().map(property)].join("\n")}\n}\n`;
}

const header = `// Written by \`npm run generate\` from settings/definitions.ts: change it there.
import type { Input } from "@pulumi/pulumi";
import type { ApplicationUser } from "../runtime/access/acl-files.ts";
import type { Affinity, EgressRule, ExtraContainer, ExtraVolume, IngressRule, Labels, Mount, Patches, Toleration, Variable } from "./object-shapes.ts";
`;

function typeName(group: string): string {
  return `${group[0]?.toUpperCase()}${group.slice(1)}Args`;
}

function property({ key, setting, needed, description }: Argument): string {
  const lines = description.split("\n").flatMap(wrap);
  const comment = ["  /**", ...lines.map((line) => `   * ${line}`.trimEnd()), "   */"].join("\n");
  const type = needed ? "Input<string>" : `${setting.argument} | undefined`;
  return `${comment}\n  readonly ${key}${needed ? "" : "?"}: ${type};`;
}

function revision([key, description]: [string, string]): string {
  return `  /** ${description} */\n  readonly ${key}?: Input<string> | undefined;`;
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
