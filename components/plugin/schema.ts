import {
  type Argument,
  argumentsOf,
  type Group,
  revisions,
  ungroupedArguments,
} from "../../settings/arguments.ts";
import { groups } from "../../settings/definitions.ts";
import { type Output, outputs } from "./outputs.ts";

/** The token of the component, in programs and in states. */
export const token = "redis-ha:index:RedisHa";

type Json = Readonly<Record<string, unknown>>;

/**
 * Pulumi's description of the package, from which SDKs in other languages are made: the arguments come from the same definitions
 * as `settings/args.ts`.
 */
export function packageSchema(version: string): Json {
  const names = Object.keys(groups) as Group[];
  const types = Object.assign({}, ...names.map(groupTypes), enumTypes("", ungroupedArguments()), fixedTypes);
  return {
    name: "redis-ha",
    displayName: "redis-ha",
    version,
    description: "Highly available Redis on Kubernetes: Redis, Sentinels and a proxy that hides failovers",
    license: "Apache-2.0",
    // SDKs have the package's own version.
    language: Object.fromEntries(
      ["nodejs", "python", "go", "csharp", "java"].map((name) => [name, { respectSchemaVersion: true }]),
    ),
    types,
    resources: {
      [token]: {
        isComponent: true,
        description:
          "A highly available Redis: instances, Sentinels, and proxies that hide failovers behind one endpoint.",
        inputProperties: Object.fromEntries([
          ...names.map((group) => [
            group,
            { ...reference(titled(group)), description: groups[group], plain: true },
          ]),
          ...ungroupedArguments().map((argument) => [argument.key, input("", argument)]),
        ]),
        requiredInputs: ["images"],
        properties: Object.fromEntries(Object.entries(outputs).map(([name, about]) => [name, output(about)])),
        required: Object.entries(outputs).flatMap(([name, { optional }]) => (optional ? [] : [name])),
      },
    },
  };
}

/** The type of a group of arguments, and those of its choices. */
function groupTypes(group: Group): Json {
  const known = argumentsOf(group);
  const more =
    group === "images"
      ? Object.entries(revisions).map(([key, description]) => [key, { type: "string", description }])
      : [];
  const required = known.filter(({ needed }) => needed).map(({ key }) => key);
  return {
    [typeToken(titled(group))]: {
      type: "object",
      description: groups[group],
      properties: Object.fromEntries([
        ...known.map((argument) => [argument.key, input(group, argument)]),
        ...more,
      ]),
      ...(required.length > 0 ? { required } : {}),
    },
    ...enumTypes(group, known),
  };
}

/** Only the images may be outputs of something else: all else is checked before anything is declared. */
function input(group: string, { key, setting, needed, description }: Argument): Json {
  const type = inputType(group, key, setting);
  return { ...type, description, ...(needed || type === anything ? {} : { plain: true }) };
}

function inputType(group: string, key: string, { argument, words }: Argument["setting"]): Json {
  if (words !== undefined) return reference(titled(group) + titled(key));
  const list = /^readonly (\w+)\[\]$/.exec(argument)?.[1];
  if (list !== undefined) return { type: "array", items: itemType(list) };
  // All numbers are whole ones.
  if (argument === "number") return { type: "integer" };
  if (argument === "boolean" || argument === "string") return { type: argument };
  if (argument === "Labels") return { type: "object", additionalProperties: { type: "string", plain: true } };
  return anything;
}

function itemType(type: string): Json {
  if (type === "string") return { type, plain: true };
  return type === "ApplicationUser" ? { ...reference("User"), plain: true } : anything;
}

/** A part of a Kubernetes object: its shape is checked by the component. Pulumi knows no plain value of any type. */
const anything: Json = { $ref: "pulumi.json#/Any" };

function enumTypes(group: string, known: readonly Argument[]): Json {
  return Object.fromEntries(
    known.flatMap(({ key, setting: { words, description } }) => {
      if (words === undefined) return [];
      const values = words.map((value) => ({ name: value.split("-").map(titled).join(""), value }));
      return [[typeToken(titled(group) + titled(key)), { type: "string", description, enum: values }]];
    }),
  );
}

const fixedTypes: Json = {
  [typeToken("User")]: {
    type: "object",
    description: "A user of an application.",
    properties: {
      name: { type: "string", plain: true, description: "A client that gives only a password is `default`." },
      rules: {
        type: "string",
        plain: true,
        description: "ACL rules, such as `~shop:* +@read +@write`. Default: all data.",
      },
    },
    required: ["name"],
  },
  [typeToken("UserConnection")]: {
    type: "object",
    description: "How a user connects.",
    properties: {
      password: { type: "string" },
      secretName: { type: "string", description: "Name of the user's Secret; its key is `password`." },
      connectionString: { type: "string" },
    },
    required: ["password", "secretName", "connectionString"],
  },
};

function output({ type, description, secret }: Output): Json {
  const shape =
    type === "users" ? { type: "object", additionalProperties: reference("UserConnection") } : { type };
  return { ...shape, description, ...(secret ? { secret } : {}) };
}

function reference(name: string): Json {
  return { $ref: `#/types/${typeToken(name)}` };
}

function typeToken(name: string): string {
  return `redis-ha:index:${name}`;
}

function titled(word: string): string {
  return `${word[0]?.toUpperCase() ?? ""}${word.slice(1)}`;
}
