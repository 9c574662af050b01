const begin = performance.now();

/** Shows one step of long work on stderr, with the seconds since the command began: stdout is for results. */
export function showProgress(line: string): void {
  const seconds = ((performance.now() - begin) / 1000).toFixed(1).padStart(6);
  process.stderr.write(`${seconds} s  ${line}\n`);
}
