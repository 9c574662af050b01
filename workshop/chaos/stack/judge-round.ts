import type { ClientReport } from "../client-report.ts";
import type { StackRound } from "./stack-ledger.ts";

/** Whatever nothing may do to a client, each in a sentence. @param allowedErrors classes of errors that it may see. */
export function brokenPromises(
  { clients }: Pick<StackRound, "clients">,
  allowedErrors: readonly string[],
): string[] {
  return clients.flatMap((report) => {
    const wrong = Object.entries({
      "executed twice": report.duplicates,
      "acknowledged and lost": report.lost,
      "refused and yet executed": report.refusedButExecuted,
      "there and never written": report.phantom,
      "in the wrong order": report.reordered,
      wrong: report.wrong,
    }).filter(([, items]) => items.length > 0);
    const errors = Object.entries(report.errors).filter(([name]) => !allowedErrors.includes(name));
    return [
      ...wrong.map(([what, items]) => `${items.length} ${what}, such as ${JSON.stringify(items[0])}`),
      ...errors.map(([name, count]) => `${count} × ${name}`),
      ...(report.open > 0 ? [`${report.open} commands never got an answer`] : []),
      ...(report.acknowledged === 0 ? ["no command was acknowledged"] : []),
    ].map((text) => `${report.client}: ${text}`);
  });
}

/** What clients were told, as cells of a table: acknowledged, lost, twice, errors, disconnects. */
export function countCells(clients: readonly ClientReport[]): readonly (string | number)[] {
  const sum = (count: (report: ClientReport) => number): number =>
    clients.reduce((total, report) => total + count(report), 0);
  const errors = new Map<string, number>();
  for (const report of clients) {
    for (const [text, count] of Object.entries(report.errors))
      errors.set(text, (errors.get(text) ?? 0) + count);
  }
  return [
    sum(({ acknowledged }) => acknowledged),
    sum(({ lost }) => lost.length),
    sum(({ duplicates }) => duplicates.length),
    [...errors].map(([text, count]) => `${count} × ${text}`).join(", ") || "none",
    sum(({ disconnects }) => disconnects),
  ];
}
