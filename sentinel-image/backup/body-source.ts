/** What is put into a store, so that its own failure isn't taken for one of the store, and nobody waits for it when all is over. */
export class BodySource {
  readonly #body: AsyncIterable<Uint8Array>;
  #failure: { readonly error: unknown } | undefined;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#body = body;
  }

  /** @param signal ends it at once with its reason, also while the body has nothing to say. */
  async *pieces(signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
    signal?.throwIfAborted();
    const iterator = this.#body[Symbol.asyncIterator]();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    aborted.catch(() => {});
    const onAbort = (): void => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort);
    let ended = false;
    try {
      for (;;) {
        const next = await Promise.race([this.#next(iterator), aborted]);
        ended = next.done === true;
        if (next.done === true) return;
        yield next.value;
        signal?.throwIfAborted();
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      // Not waited for: a generator that waits for its own source answers only when that does.
      if (!ended) iterator.return?.()?.catch(() => {});
    }
  }

  /** This is what the body threw. */
  failedWith(error: unknown): boolean {
    return this.#failure !== undefined && this.#failure.error === error;
  }

  async #next(iterator: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    try {
      return await iterator.next();
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }
}
