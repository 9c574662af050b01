/** A text or number in a document, with what says its meaning. */
export interface Leaf {
  readonly value: string | number;
  /** The name of its field; in an array also the text before it: `--password`, `requirepass`; of `{name, value}` the name. */
  readonly meanings: readonly string[];
}

/** A copy of a document, each of its texts, numbers and names of fields made anew. */
export function mapLeaves(
  value: unknown,
  change: (leaf: Leaf) => string | number,
  changeName: (name: string) => string,
  meanings: readonly string[] = [],
): unknown {
  if (typeof value === "string" || typeof value === "number") return change({ value, meanings });
  if (Array.isArray(value)) {
    // `AUTH name password`: both are behind it.
    const auth = value.findIndex((item) => typeof item === "string" && /^AUTH2?$/i.test(item));
    return value.map((item: unknown, i) => {
      const previous: unknown = value[i - 1];
      const more = [
        ...(typeof previous === "string" ? [previous] : []),
        ...(auth >= 0 && i > auth ? ["auth"] : []),
      ];
      return mapLeaves(item, change, changeName, [...meanings, ...more]);
    });
  }
  if (typeof value !== "object" || value === null) return value;
  const { name } = value as { readonly name?: unknown };
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const meaning = key === "value" && typeof name === "string" ? name : key;
      return [changeName(key), mapLeaves(item, change, changeName, [meaning])];
    }),
  );
}
