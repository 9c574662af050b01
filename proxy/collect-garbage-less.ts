import { setFlagsFromString } from "node:v8";

/**
 * Has V8 collect garbage less often: each collection of everything stops all clients for 5 to 15 ms. V8 counts what sockets read as memory that only
 * such a collection gives back, and begins one for each 64 MiB: with values of 1 MiB that takes 40 % of the process's time. A V8 that
 * doesn't know an option says so and goes on without it. For figures see docs/performance.md.
 */
export function collectGarbageLess(): void {
  // What was read counts together with the heap: collections become as rare as the heap's growth allows.
  setFlagsFromString("--external-memory-accounted-in-global-limit");
  // Beside a Redis and its other programs there is no core for more.
  setFlagsFromString("--concurrent-marking-max-worker-num=1");
}
