import { setTimeout as delay } from "node:timers/promises";

/** Passes bytes on, no more than so many a second, evenly: a second's worth never goes out at once. */
export async function* throttle(
  body: AsyncIterable<Uint8Array>,
  bytesPerSecond: number,
): AsyncIterable<Uint8Array> {
  let dueMs = performance.now();
  for await (const part of body) {
    const nowMs = performance.now();
    // What wasn't used up while the reader was slow isn't made up for.
    dueMs = Math.max(dueMs, nowMs - longestCreditMs);
    if (dueMs > nowMs) await delay(dueMs - nowMs);
    dueMs += (part.byteLength * 1000) / bytesPerSecond;
    yield part;
  }
}

const longestCreditMs = 100;
