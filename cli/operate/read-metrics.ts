/** The values in Prometheus' text format that have no labels, by name. */
export function readMetrics(text: string): Record<string, number> {
  const values = text.split("\n").flatMap((line) => {
    const match = /^([a-zA-Z_:][\w:]*) (\S+)/.exec(line);
    return match === null ? [] : [[match[1] ?? "", Number(match[2])] as const];
  });
  return Object.fromEntries(values);
}
