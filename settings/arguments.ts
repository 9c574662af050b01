import { definitions, type groups, ungrouped } from "./definitions.ts";
import type { Setting } from "./kinds.ts";

/** One argument of the component: the key of a stack by which it is read, too. */
export interface Argument {
  readonly key: string;
  readonly setting: Setting<unknown>;
  /** A component can't do without the two images; the program builds them. */
  readonly needed: boolean;
  /** Meaning, range and default, as two paragraphs. */
  readonly description: string;
}

export type Group = keyof typeof groups;

/** The arguments of a group, in the order of the definitions. */
export function argumentsOf(namespace: keyof typeof definitions): Argument[] {
  const keys: Readonly<Record<string, Setting<unknown>>> = definitions[namespace];
  return Object.entries(keys)
    .filter(([, { programOnly }]) => programOnly !== true)
    .map(([key, setting]) => {
      const needed = namespace === "images" && (key === "sentinel" || key === "proxy");
      const { description, allowed, fallback, derived } = setting;
      const standard = needed ? "needed" : fallback === undefined ? derived : String(fallback);
      return {
        key,
        setting,
        needed,
        description: `${description}\n\nAllowed: ${allowed}. Default: ${standard}.`,
      };
    });
}

/** The arguments that stand in no group. */
export function ungroupedArguments(): Argument[] {
  return argumentsOf(ungrouped);
}

/** Arguments of the images beside the keys: whatever builds the images knows them. */
export const revisions: Readonly<Record<"sentinelRevision" | "proxyRevision", string>> = {
  sentinelRevision:
    "Changes whenever the Redis and Sentinel image does: for an image that is built again under the same name.",
  proxyRevision: "The same for the proxy image.",
};
