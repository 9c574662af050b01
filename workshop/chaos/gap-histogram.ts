/** Upper ends of the classes, in s. */
const ends = [0.1, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15, 20];

/** How many gaps there are of each length; lengths beyond the last one that occurs are left out. */
export function countGaps(
  gapsMs: readonly (number | undefined)[],
): { readonly name: string; readonly count: number }[] {
  const known = gapsMs.filter((gap) => gap !== undefined);
  const classes = [...ends, Number.POSITIVE_INFINITY].map((end, i) => {
    const begin = ends[i - 1] ?? 0;
    return {
      name: Number.isFinite(end) ? `${begin} to ${end} s` : `more than ${begin} s`,
      count: known.filter((gap) => gap > begin * 1000 && gap <= end * 1000).length,
    };
  });
  const last = classes.findLastIndex(({ count }) => count > 0);
  const never = gapsMs.length - known.length;
  return [
    ...classes.slice(0, last + 1),
    ...(never > 0 ? [{ name: "no write came through any more", count: never }] : []),
  ];
}
