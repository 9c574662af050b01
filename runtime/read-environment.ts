// Not { z }, with which all of it comes along: 8 MiB in each proxy and each supervisor.
import * as z from "zod";
import { type Address, parseAddress, parseAddressList, sameAddress } from "./address.ts";

/** Every mistake in a program's environment, told at once. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
}

/** A variable: how to read its text, and what is allowed, as the end of "use …". */
interface Variable<T> {
  readonly schema: z.ZodType<T, string | undefined>;
  readonly allowed: string;
}

function variable<T>(allowed: string, schema: z.ZodType<T, string>, fallback?: string): Variable<T> {
  return {
    allowed,
    schema: z
      .string()
      .default(fallback ?? "")
      .pipe(schema),
  };
}

function parsed<T>(parse: (text: string) => T): z.ZodType<T, string> {
  return z.string().transform((value, context) => {
    try {
      return parse(value);
    } catch {
      context.addIssue({ code: "custom", message: "unreadable" });
      return z.NEVER;
    }
  });
}

/** The kinds of variables. Without a fallback a variable is required. */
export const env = {
  text: (fallback?: string): Variable<string> =>
    variable("a text that is not empty", z.string().min(1), fallback),
  optionalText: (): Variable<string | undefined> =>
    variable(
      "any text",
      z.string().transform((value) => value || undefined),
    ),
  integer: (min: number, max: number, fallback?: number): Variable<number> =>
    variable(
      `a whole number from ${min} to ${max}`,
      z
        .string()
        .regex(/^\d+$/)
        .transform(Number)
        .refine((value) => value >= min && value <= max),
      fallback?.toString(),
    ),
  port: (fallback?: number): Variable<number> => env.integer(1, 65535, fallback),
  optionalPort: (): Variable<number | undefined> =>
    variable(
      "a port from 1 to 65535, or nothing",
      z
        .string()
        .regex(/^\d*$/)
        .transform((value) => (value === "" ? undefined : Number(value)))
        .refine((value) => value === undefined || (value >= 1 && value <= 65535)),
    ),
  yesNo: (fallback: "yes" | "no"): Variable<"yes" | "no"> =>
    variable("yes or no", z.enum(["yes", "no"]), fallback),
  choice: <const Choices extends readonly [string, ...string[]]>(
    of: Choices,
    fallback: Choices[number],
  ): Variable<Choices[number]> => variable(of.join(" or "), z.enum(of), fallback),
  /** Several texts, separated by commas; nothing is none. */
  list: (item: (text: string) => boolean, allowed: string): Variable<readonly string[]> =>
    variable(
      `${allowed}, separated by commas, or nothing`,
      z
        .string()
        .transform((value) => (value === "" ? [] : value.split(",")))
        .refine((items) => items.every(item)),
    ),
  address: (defaultPort?: number): Variable<Address> =>
    variable(
      "host:port",
      parsed((value) => parseAddress(value, defaultPort)),
    ),
  optionalAddress: (defaultPort?: number): Variable<Address | undefined> =>
    variable(
      "host:port, or nothing",
      parsed((value) => (value === "" ? undefined : parseAddress(value, defaultPort))),
    ),
  addresses: (defaultPort: number): Variable<readonly [Address, ...Address[]]> =>
    variable(
      "host:port,host:port,… with at least one and none twice",
      parsed((value) => {
        const list = parseAddressList(value, defaultPort);
        // A Sentinel that is named twice would make a majority of fewer than half of them.
        if (list.some((a, i) => list.findIndex((b) => sameAddress(a, b)) !== i)) throw new Error("twice");
        const [first, ...others] = list;
        if (first === undefined) throw new Error("empty");
        return [first, ...others] as const;
      }),
    ),
} as const;

type Values<V extends Record<string, Variable<unknown>>> = {
  readonly [K in keyof V]: V[K] extends Variable<infer T> ? T : never;
};

/**
 * Reads a program's environment by its contract.
 *
 * @throws {EnvironmentError} that lists every missing or wrong variable. Values are shown: none of them is a secret.
 */
export function readEnvironment<V extends Record<string, Variable<unknown>>>(
  contract: V,
  environment: Readonly<Record<string, string | undefined>>,
): Values<V> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { schema, allowed }] of Object.entries(contract)) {
    const result = schema.safeParse(environment[name]);
    if (result.success) values[name] = result.data;
    else {
      const found = environment[name] === undefined ? "is not set" : `is '${environment[name]}'`;
      problems.push(`Environment variable ${name} ${found}: use ${allowed}.`);
    }
  }
  if (problems.length > 0) throw new EnvironmentError(problems.join("\n"));
  return values as Values<V>;
}
