/** What Prometheus is told of one value. */
export interface Metric {
  /** With its unit, `redis_ha_disk_free_bytes`; a counter's ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Prometheus' text format, of values that were read a moment ago. A library that keeps them between two questions would take its memory from the data.
 * Values that are no number are left out, so that a field that this Redis doesn't know is missing and not 0.
 */
export function renderMetrics(metrics: readonly Metric[]): string {
  const families = new Map<string, Metric[]>();
  for (const metric of metrics) {
    if (!Number.isFinite(metric.value)) continue;
    families.set(metric.name, [...(families.get(metric.name) ?? []), metric]);
  }
  return [...families]
    .map(([name, samples]) => {
      const type = name.endsWith("_total") ? "counter" : "gauge";
      const head = `# HELP ${name} ${samples[0]?.help.replaceAll("\n", " ")}\n# TYPE ${name} ${type}\n`;
      return (
        head + samples.map(({ labels = {}, value }) => `${name}${renderLabels(labels)} ${value}\n`).join("")
      );
    })
    .join("");
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) =>
      `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
