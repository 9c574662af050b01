/** How many tests a mocha run had. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Counts from the closing lines of mocha's spec reporter. A run that failed without saying how many tests did (it crashed,
 * found no files, …) has one failure; so has one that ran no test at all.
 */
export function countMochaOutput(output: string, exitCode: number): TestCounts {
  const last = (word: string): number =>
    Number([...output.matchAll(new RegExp(`^\\s+(\\d+) ${word}`, "gm"))].at(-1)?.[1] ?? 0);
  const counts = { passed: last("passing"), failed: last("failing"), skipped: last("pending") };
  const unexplained = counts.failed === 0 && (exitCode !== 0 || counts.passed + counts.skipped === 0);
  return unexplained ? { ...counts, failed: 1 } : counts;
}
