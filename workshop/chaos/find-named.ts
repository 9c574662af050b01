import { UserError } from "../../runtime/user-error.ts";

/** The one of them with this name. @param what for the error: "fault". @throws {UserError} that names all of them. */
export function findNamed<T extends { readonly name: string }>(
  what: string,
  all: readonly T[],
  name: string,
): T {
  const found = all.find((item) => item.name === name);
  if (found !== undefined) return found;
  throw new UserError(
    `There is no ${what} '${name}': use some of ${all.map((item) => item.name).join(", ")}.`,
  );
}
