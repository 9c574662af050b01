import type { BenchResult } from "./report.ts";
import { type Path, paths } from "./scenarios.ts";
import { spreadOf } from "./statistics.ts";

const colours: Readonly<Record<Path, string>> = { direct: "#8899aa", haproxy: "#d9a441", proxy: "#2a9d5c" };
const names: Readonly<Record<Path, string>> = { direct: "no proxy", haproxy: "HAProxy", proxy: "redis-ha" };
const [left, width, barHeight, gap] = [150, 520, 12, 18];

/**
 * Requests per second of each scenario, path by path, as SVG: bars to the median, thin lines from the least to the greatest round. Each
 * scenario has its own scale, its fastest path; figures say the rest.
 */
export function renderPicture({ series }: BenchResult): string {
  const blockHeight = paths.length * barHeight + gap;
  const height = 40 + series.length * blockHeight;
  const blocks = series.map(({ scenario, command, rps }, i) => {
    const top = 40 + i * blockHeight;
    const spreads = paths.map((path) => ({ path, ...spreadOf(rps[path]) }));
    const scale = width / Math.max(...spreads.map(({ max }) => max));
    const bars = spreads.map(({ path, median, min, max }, j) => {
      const y = top + j * barHeight;
      const middle = y + barHeight / 2;
      return [
        `<rect x="${left}" y="${y}" width="${(median * scale).toFixed(1)}" height="${barHeight - 2}" fill="${colours[path]}"/>`,
        `<line x1="${(left + min * scale).toFixed(1)}" x2="${(left + max * scale).toFixed(1)}" y1="${middle}" y2="${middle}" stroke="#222"/>`,
        `<text x="${left + width + 8}" y="${y + barHeight - 3}">${Math.round(median)}</text>`,
      ].join("");
    });
    const label = `<text x="${left - 8}" y="${top + 1.5 * barHeight + 3}" text-anchor="end">${scenario.name} ${command}</text>`;
    return label + bars.join("");
  });
  const legend = paths.map(
    (path, i) =>
      `<rect x="${left + i * 120}" y="10" width="12" height="12" fill="${colours[path]}"/><text x="${left + i * 120 + 18}" y="20">${names[path]}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 80} ${height}" font-family="sans-serif" font-size="11">`,
    `<title>Requests per second</title><rect width="100%" height="100%" fill="white"/>`,
    ...legend,
    ...blocks,
    "</svg>\n",
  ].join("\n");
}
