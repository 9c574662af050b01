import { UserError } from "../runtime/user-error.ts";

/**
 * Takes one `--set namespace:key=value` to those before it.
 *
 * @throws {UserError} when it isn't written like that; whether there is such a setting is checked with all of them.
 */
export function collectSetting(item: string, values: Record<string, string>): Record<string, string> {
  const separator = item.indexOf("=");
  if (separator < 1)
    throw new UserError(`--set ${item}: use namespace:key=value, for instance sentinel:quorum=3.`);
  return { ...values, [item.slice(0, separator)]: item.slice(separator + 1) };
}
