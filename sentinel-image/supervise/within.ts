import { setTimeout as delay } from "node:timers/promises";

/** What became of each promise in this time; undefined: nothing yet. */
export async function within<T>(
  ms: number,
  promises: readonly Promise<T>[],
): Promise<(PromiseSettledResult<T> | undefined)[]> {
  const results: (PromiseSettledResult<T> | undefined)[] = promises.map(() => undefined);
  const all = promises.map(async (promise, i) => {
    [results[i]] = await Promise.allSettled([promise]);
  });
  const end = new AbortController();
  await Promise.race([Promise.all(all), delay(ms, undefined, { signal: end.signal }).catch(() => undefined)]);
  end.abort();
  return [...results];
}

/** The answers that came in this time. Whoever was late, or failed, is left out. */
export async function answersWithin<T>(ms: number, questions: readonly Promise<T>[]): Promise<T[]> {
  const results = await within(ms, questions);
  return results.flatMap((result) => (result?.status === "fulfilled" ? [result.value] : []));
}
