import type { z } from "zod";
import { nearest } from "../runtime/nearest.ts";
import { definitions, type ParsedSettings } from "./definitions.ts";
import type { Setting } from "./kinds.ts";

/** Configuration as Pulumi stores it: `namespace:key` → text. */
export type RawConfig = Readonly<Record<string, string>>;

/** Namespaces that belong to Pulumi and its providers: not ours to check. */
const foreignNamespaces = new Set(["pulumi", "kubernetes", "docker", "random"]);

/** All keys, `namespace:key`, with their definitions. */
export function allSettings(): [string, Setting<unknown>][] {
  return Object.entries(definitions).flatMap(([namespace, keys]) =>
    Object.entries(keys).map(([key, setting]): [string, Setting<unknown>] => [
      `${namespace}:${key}`,
      setting as Setting<unknown>,
    ]),
  );
}

/**
 * Reads each value by its definition. Mistakes are added to `problems`; such a value counts as unset, so that the
 * following rules can still be checked. A secret value is such a mistake, and its problem doesn't show it: every setting
 * stands as plain text in pods, in names or in the state, and none needs to be secret.
 *
 * @param secretKeys the keys, `namespace:key`, whose values were set with `--secret`.
 */
export function parseSettings(
  raw: RawConfig,
  problems: string[],
  secretKeys: ReadonlySet<string> = new Set(),
): ParsedSettings {
  const known = new Map(allSettings());
  const parsed: Record<string, Record<string, unknown>> = {};
  for (const [name, setting] of known) {
    const [namespace = "", key = ""] = name.split(":");
    const keys = parsed[namespace] ?? {};
    parsed[namespace] = keys;
    keys[key] = setting.fallback;
    const value = raw[name];
    // Pulumi.yaml declares a key without a fixed default as an empty text: the same as unset.
    if (value === undefined || (value === "" && setting.fallback === undefined)) continue;
    if (secretKeys.has(name)) {
      problems.push(
        `Configuration '${name}' is a secret, but it would stand as plain text in the state and in what the cluster shows: no setting of redis-ha may hold a secret, passwords are generated. Set it without --secret (pulumi config rm ${name} && pulumi config set ${name} ${quote(setting.example)}).`,
      );
      continue;
    }
    const result = setting.schema.safeParse(value);
    if (result.success) keys[key] = result.data;
    else if (setting.nested && !result.error.issues.some(isOfTheWhole)) {
      for (const [place, message] of placesOf(result.error.issues)) {
        problems.push(
          `Configuration '${name}' has a mistake at ${place}: ${message}. Use ${setting.allowed} (pulumi config set ${name} ${quote(setting.example)}).`,
        );
      }
    } else {
      problems.push(
        `Configuration '${name}' is '${value}': use ${setting.allowed} (pulumi config set ${name} ${quote(setting.example)}).`,
      );
    }
  }
  for (const name of Object.keys(raw)) {
    const [namespace = ""] = name.split(":");
    if (known.has(name) || foreignNamespaces.has(namespace)) continue;
    const guess = nearest(name, [...known.keys()]);
    const cure = guess === undefined ? "the README lists all keys" : `did you mean '${guess}'?`;
    problems.push(`Configuration '${name}' is not known: ${cure} (pulumi config rm ${name} removes it).`);
  }
  return parsed as ParsedSettings;
}

/** Whether nothing of the value could be read: then it is shown. */
function isOfTheWhole({ path, code }: z.core.$ZodIssue): boolean {
  return path.length === 0 && code !== "unrecognized_keys";
}

/** `[0].effect` and what is wrong there. Of the alternatives of a value only the fact that none fits. */
function placesOf(issues: readonly z.core.$ZodIssue[]): [string, string][] {
  return issues.map(({ path, message }) => [
    path
      .map((step) =>
        typeof step === "number"
          ? `[${step}]`
          : /^\w+$/.test(String(step))
            ? `.${String(step)}`
            : `['${String(step)}']`,
      )
      .join("")
      .replace(/^\./, "") || "the top",
    message,
  ]);
}

/** The value as one shell word. */
function quote(value: string): string {
  return /^[\w./:@-]+$/.test(value) ? value : `'${value}'`;
}
