import type { IncomingMessage } from "node:http";

/**
 * The pieces of an answer's body to its end.
 *
 * @param silenceMs how long a piece may be waited for. The time in which the reader does something else doesn't count.
 * @throws {Error} when nothing comes, or the connection ends before the body does.
 */
export async function* readWithin(
  answer: IncomingMessage,
  silenceMs: number,
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  const iterator: AsyncIterator<Uint8Array> = answer[Symbol.asyncIterator]();
  const onAbort = (): void => void answer.destroy(new Error("aborted"));
  signal?.addEventListener("abort", onAbort);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const timer = setTimeout(
        () => answer.destroy(new Error(`nothing came for ${silenceMs / 1000} s`)),
        silenceMs,
      );
      const next = await iterator.next().finally(() => clearTimeout(timer));
      if (next.done === true) break;
      yield next.value;
    }
    if (!answer.complete) throw new Error("the connection ended in the middle of the answer");
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    // What wasn't read to its end is of no use to the next request.
    if (!answer.complete) answer.destroy();
  }
}
