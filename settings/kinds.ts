import { z } from "zod";
import { parseQuantity } from "../runtime/quantity.ts";

/** One key of the stack configuration: what it means, what it may be and what it is when unset. */
export interface Setting<T> {
  /** One sentence for the table in the README. */
  readonly description: string;
  /** What the value may be, as the end of a sentence: "use …". */
  readonly allowed: string;
  /** An example for the cure in an error message: a valid value. */
  readonly example: string;
  /** Type of the component's argument, in TypeScript. */
  readonly argument: string;
  /** The words that a choice is among. */
  readonly words?: readonly string[];
  /** Only the program reads it: it says how the program builds what the component is given. */
  readonly programOnly?: boolean;
  /** Type in Pulumi.yaml. */
  readonly type: "integer" | "boolean" | "string";
  /** A JSON text: mistakes are told with their places in it. */
  readonly nested?: boolean;
  /** Reads the text of `pulumi config`. */
  readonly schema: z.ZodType<T, string>;
  /** The value when the key is unset; undefined when it is then derived from others or simply absent. */
  readonly fallback?: T;
  /** What the README says in place of a fixed default. */
  readonly derived?: string;
}

type Extra<T> = Pick<Setting<T>, "description" | "programOnly"> & {
  fallback?: T;
  derived?: string;
  example?: string;
};

/** A whole number from `min` to `max`, optionally only odd ones. */
export function integer(extra: Extra<number> & { min: number; max: number; odd?: boolean }): Setting<number> {
  const { min, max, odd = false } = extra;
  return {
    ...extra,
    type: "integer",
    argument: "number",
    allowed: `${odd ? "an odd" : "a whole"} number from ${min} to ${max}`,
    example: extra.example ?? String(extra.fallback ?? min),
    schema: z
      .string()
      .regex(/^-?\d+$/)
      .transform(Number)
      .refine((value) => value >= min && value <= max && (!odd || value % 2 === 1)),
  };
}

/** `true` or `false`. */
export function flag(extra: Extra<boolean>): Setting<boolean> {
  return {
    ...extra,
    type: "boolean",
    argument: "boolean",
    allowed: "true or false",
    example: String(!extra.fallback),
    schema: z.enum(["true", "false"]).transform((text) => text === "true"),
  };
}

/** One of a few words. */
export function choice<const T extends string>(
  extra: Extra<NoInfer<T>> & { of: readonly [T, ...T[]] },
): Setting<T> {
  const { of } = extra;
  return {
    ...extra,
    type: "string",
    argument: of.map((word) => JSON.stringify(word)).join(" | "),
    words: of,
    allowed: `one of ${of.join(", ")}`,
    example: of[0],
    schema: z.enum(of),
  };
}

/** An amount of bytes as a Kubernetes quantity, at least `min`. */
export function quantity(extra: Extra<string> & { min: string }): Setting<string> {
  const least = parseQuantity(extra.min) ?? 1;
  return {
    ...extra,
    type: "string",
    argument: "string",
    allowed: `a Kubernetes quantity of at least ${extra.min}, such as 512Mi or 8Gi`,
    example: extra.fallback ?? extra.min,
    schema: z.string().refine((value) => (parseQuantity(value) ?? 0) >= least),
  };
}

/** A JSON text of one shape. */
export function json<T>(
  extra: Pick<Setting<T>, "description" | "derived" | "allowed" | "example" | "argument"> & {
    shape: z.ZodType<T>;
  },
): Setting<T> {
  const schema = z
    .string()
    .transform((value, context) => {
      try {
        return JSON.parse(value) as unknown;
      } catch {
        context.addIssue({ code: "custom", message: "no JSON" });
        return z.NEVER;
      }
    })
    .pipe(extra.shape);
  return { ...extra, type: "string", nested: true, schema };
}

/** An amount of CPUs as Kubernetes writes it: `250m` or `1.5`. */
export function cpus(extra: Extra<string> & { min: string }): Setting<string> {
  const least = parseCpus(extra.min) ?? 0;
  return {
    ...extra,
    type: "string",
    argument: "string",
    allowed: `CPUs, at least ${extra.min}, such as 250m or 1.5`,
    example: extra.fallback ?? extra.min,
    schema: z.string().refine((value) => (parseCpus(value) ?? -1) >= least),
  };
}

/** Thousandths of a CPU; undefined when the text is no amount of CPUs. */
export function parseCpus(text: string): number | undefined {
  if (/^\d{1,9}m$/.test(text)) return Number(text.slice(0, -1));
  return /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Math.round(Number(text) * 1000) : undefined;
}

/** Text that matches a pattern. */
export function text(
  extra: Extra<string> & { pattern: RegExp; allowed: string; example: string },
): Setting<string> {
  return { ...extra, type: "string", argument: "string", schema: z.string().regex(extra.pattern) };
}

/** Several texts, separated by commas; blanks around them don't count. */
export function list(
  extra: Extra<readonly string[]> & { item: (text: string) => boolean; allowed: string; example: string },
): Setting<readonly string[]> {
  return {
    ...extra,
    type: "string",
    argument: "readonly string[]",
    schema: z
      .string()
      .transform((value) => value.split(",").map((item) => item.trim()))
      .refine((items) => items.every(extra.item)),
  };
}
