import * as pulumi from "@pulumi/pulumi";
import type { ImagesArgs, RedisHaArgs } from "../settings/args.ts";
import { definitions, ungrouped } from "../settings/definitions.ts";
import { allSettings, type RawConfig } from "../settings/parse-settings.ts";
import { resolveSettings, type Settings } from "../settings/resolve-settings.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { problemsOfObjects } from "./promises/problems-of-objects.ts";

const images = ["sentinel", "proxy"] as const satisfies readonly (keyof ImagesArgs)[];

/**
 * The settings that a component's arguments say. They keep the rules of a stack's configuration.
 *
 * @throws {pulumi.RunError} that lists every mistake.
 */
export function checkArgs(name: string, args: RedisHaArgs): Settings {
  const missing = images.filter((image) => !args.images?.[image]);
  const problems = missing.map(
    (image) =>
      `Argument 'images.${image}' is missing: name an image that the cluster can pull, with an exact tag or a digest. 'make images' builds both.`,
  );
  problems.push(...problemsOfOutputs(args));
  try {
    const settings = resolveSettings(configurationOf(args), pulumi.getStack(), new Set(), {
      builds: false,
      objects: problemsOfObjects,
    });
    if (problems.length === 0) return Object.freeze(settings);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push(...error.problems.map(inWordsOfArguments));
  }
  // A RunError is shown as its text alone, without the stack trace of this program.
  throw new pulumi.RunError(new SettingsError(problems, `The arguments of RedisHa '${name}' have`).message);
}

/** The arguments as a stack's configuration would say them. */
export function configurationOf(args: RedisHaArgs): RawConfig {
  const raw: Record<string, string> = {};
  const add = (name: string, value: unknown): void => {
    // What is only known later can't be checked, and nobody reads it before.
    if (value !== undefined && !pulumi.Output.isInstance(value) && !(value instanceof Promise))
      raw[name] = textOf(value);
  };
  for (const [key, value] of Object.entries(args)) {
    if (!isGroup(key)) add(`${ungrouped}:${key}`, value);
    else {
      for (const [inner, content] of Object.entries((value ?? {}) as object)) {
        if (key !== "images" || !inner.endsWith("Revision")) add(`${key}:${inner}`, content);
      }
    }
  }
  return raw;
}

/** The text of a nested value is known at once, or never: what Pulumi would write of an output inside is a sentence about outputs. */
function problemsOfOutputs(args: RedisHaArgs): string[] {
  const placesIn = (value: unknown, place: string): string[] => {
    if (pulumi.Output.isInstance(value) || value instanceof Promise) return [place];
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) => placesIn(inner, `${place}.${key}`));
  };
  const isKnownLater = (place: string): boolean => /^images\.(sentinel|proxy)(Revision)?$/.test(place);
  return Object.entries(args)
    .flatMap(([key, value]) => placesIn(value, key))
    .filter((place) => !isKnownLater(place))
    .map(
      (place) =>
        `Argument '${place}' is an output, but it has to be known before anything is made: use a plain value.`,
    );
}

function isGroup(key: string): boolean {
  return key !== ungrouped && Object.hasOwn(definitions, key);
}

function textOf(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** A sentence about the configuration as one about arguments: other names, and no command that would set them. */
export function inWordsOfArguments(problem: string): string {
  const known = new Set(allSettings().map(([name]) => name));
  return problem
    .replaceAll("Configuration '", "Argument '")
    .replace(/ \(pulumi config [^()]*\)/g, "")
    .replace("?.", "?")
    .replace(/('?)\b([a-z-]+):([A-Za-z]+)\b/g, (text, quoted, namespace, key) => {
      // What was typed wrong stands in quotes, too, but so do names of images.
      if (!known.has(`${namespace}:${key}`) && !(quoted && problem.includes("is not known"))) return text;
      return namespace === ungrouped ? `${quoted}${key}` : `${quoted}${namespace}.${key}`;
    });
}
