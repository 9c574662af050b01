/** Keys of each database, by its number. */
export function readKeys(info: ReadonlyMap<string, string>): Record<string, number> {
  const keys: Record<string, number> = {};
  for (const [name, value] of info) {
    const number = /^db(\d+)$/.exec(name)?.[1];
    if (number !== undefined) keys[number] = Number(/^keys=(\d+)/.exec(value)?.[1] ?? 0);
  }
  return keys;
}
