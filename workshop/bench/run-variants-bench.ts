import {
  type ComparedSeries,
  type ComparisonOptions,
  compare,
  renderComparison,
  speedRatio,
} from "./comparison.ts";
import type { Verdict } from "./report.ts";
import { type Variant, VariantServers, variants } from "./variant-servers.ts";

/** What is wanted of a variant, as a part of another one's requests per second. */
const targets = [
  { name: "users", base: "unrestricted", target: 0.98 },
  { name: "tls", base: "users", target: 0.5 },
] as const;

/** Everything that one run measured. */
export interface VariantsResult {
  readonly series: readonly ComparedSeries<Variant>[];
}

/** Measures all variants interleaved. */
export async function runVariantsBench(
  options: ComparisonOptions & { readonly basePort: number },
): Promise<VariantsResult> {
  options.onProgress("starting two Redis, two Sentinels and a proxy for each variant");
  const servers = await VariantServers.start(options.basePort);
  try {
    return { series: await compare(servers.candidates, options) };
  } finally {
    await servers.stop();
  }
}

/** Compares what was measured with its targets. */
export function judgeVariants({ series }: VariantsResult): Verdict[] {
  return series.flatMap((one) =>
    targets.map(({ name, base, target }) => {
      const ratio = speedRatio(one, name, base);
      const what = `${one.scenario} ${one.command}: ${name} ÷ ${base}`;
      return { what, ratio, target, reached: ratio.median >= target };
    }),
  );
}

/** The result as a table in Markdown. */
export function renderVariants({ series }: VariantsResult): string {
  return renderComparison("variants of the proxy", variants, series);
}
