/**
 * Milliseconds of the machine's monotonic clock. It is the same in all processes of a machine, so what a worker in
 * another language writes down can be compared with what is seen here.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The monotonic time of a wall-clock time in ms, such as the one that `MONITOR` prints. Right within a millisecond. */
export function monotonicOf(wallMs: number): number {
  return wallMs - (Date.now() - monotonicMs());
}
