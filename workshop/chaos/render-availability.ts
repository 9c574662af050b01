import type { RoundReport } from "./round-report.ts";

const left = 150;
const width = 900;
const rowHeight = 6;
const groupGap = 10;
const shownMs = { from: -500, until: 12_000 };

/**
 * A picture of a run: a row for each fault, dark where writes were acknowledged, light where none were, and white where it was
 * over. Time runs from shortly before the fault to 12 s after it. The rows of one kind stand together.
 */
export function renderAvailability({
  rounds,
  seed,
}: {
  readonly rounds: readonly Pick<RoundReport, "fault" | "timeline">[];
  readonly seed: number;
}): string {
  const title = `Writes acknowledged around ${rounds.length} faults, seed ${seed}: green where there are any`;
  const faults = [...new Set(rounds.map(({ fault }) => fault))].sort();
  const body: string[] = [];
  let y = 40;
  for (const fault of faults) {
    const rows = rounds.filter((round) => round.fault === fault);
    const height = rows.length * rowHeight;
    body.push(text(left - 8, y + height / 2 + 4, fault, "end"));
    for (const { timeline } of rows) {
      // Behind its last write a round is over: nothing is drawn there.
      const over = timeline.fromMs + timeline.acknowledged.length * timeline.pieceMs;
      body.push(bar(shownMs.from, over, y, "none"));
      for (const { begin, end } of runs(timeline)) body.push(bar(begin, end, y, "ok"));
      y += rowHeight;
    }
    y += groupGap;
  }
  const bottom = y;
  const axis = Array.from({ length: shownMs.until / 1000 + 1 }, (_, second) => {
    const x = xOf(second * 1000).toFixed(1);
    return `<line x1="${x}" x2="${x}" y1="34" y2="${bottom}" class="${second === 0 ? "fault" : "grid"}"/>${text(Number(x), bottom + 14, `${second} s`, "middle")}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 20} ${bottom + 26}" font-family="system-ui, sans-serif" font-size="11">`,
    `<title>${title}</title>`,
    "<style>text{fill:#333}.ok{fill:#2a7f62}.none{fill:#f3c9b5}.grid{stroke:#fff;stroke-opacity:.5}.fault{stroke:#333;stroke-dasharray:2 2}</style>",
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(left, 20, title, "start"),
    ...body,
    ...axis,
    "</svg>",
    "",
  ].join("\n");
}

/** Pieces with writes, as far as they are shown; neighbours are one. */
function runs({ acknowledged, fromMs, pieceMs }: RoundReport["timeline"]): { begin: number; end: number }[] {
  const found: { begin: number; end: number }[] = [];
  for (const [i, count] of acknowledged.entries()) {
    const begin = fromMs + i * pieceMs;
    if (count === 0 || begin >= shownMs.until) continue;
    const last = found.at(-1);
    if (last?.end === begin) last.end = begin + pieceMs;
    else found.push({ begin, end: begin + pieceMs });
  }
  return found;
}

function bar(begin: number, end: number, y: number, kind: "ok" | "none"): string {
  const x = xOf(begin);
  const length = xOf(Math.min(end, shownMs.until)) - x;
  return `<rect x="${x.toFixed(1)}" y="${y}" width="${length.toFixed(1)}" height="${rowHeight - 1}" class="${kind}"/>`;
}

function xOf(ms: number): number {
  return left + (width * (ms - shownMs.from)) / (shownMs.until - shownMs.from);
}

function text(x: number, y: number, content: string, anchor: "start" | "middle" | "end"): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${content}</text>`;
}
