import fc from "fast-check";

/** Bytes as latin1 text. */
export type Bytes = string;

/** Cuts a stream at any places: pieces of one byte, of none, and the whole are among them. */
export function splitOf(stream: Bytes): fc.Arbitrary<Buffer[]> {
  const cuts = fc.oneof(
    fc.array(fc.nat({ max: stream.length }), { maxLength: 12 }),
    fc.constant(Array.from({ length: stream.length }, (_, i) => i)),
  );
  return cuts.map((places) => cutAt(stream, places));
}

/** The pieces of a stream between these places. */
export function cutAt(stream: Bytes, places: readonly number[]): Buffer[] {
  const bounds = [0, ...places.toSorted((a, b) => a - b), stream.length];
  return bounds.slice(1).map((end, i) => Buffer.from(stream.slice(bounds[i], end), "latin1"));
}

/** Any bytes, the first 256 characters. */
export function anyBytes(maxLength: number): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString("latin1"));
}

/** What changes a stream: places are parts of its length in thousandths. */
type Mutation = readonly ["replace" | "insert" | "delete" | "repeat" | "truncate", number, Bytes];

/** A stream with a few bytes changed, added, taken away or sent twice. */
export function mutated(streams: fc.Arbitrary<Bytes>, tokens: readonly Bytes[]): fc.Arbitrary<Bytes> {
  const mutation: fc.Arbitrary<Mutation> = fc.tuple(
    fc.constantFrom("replace", "insert", "delete", "repeat", "truncate"),
    fc.nat({ max: 1000 }),
    fc.oneof(anyBytes(3), fc.constantFrom(...tokens)),
  );
  return fc
    .tuple(streams, fc.array(mutation, { minLength: 1, maxLength: 4 }))
    .map(([stream, mutations]) => mutations.reduce(mutate, stream));
}

function mutate(stream: Bytes, [kind, place, bytes]: Mutation): Bytes {
  const at = Math.floor((stream.length * place) / 1000);
  const [before, after] = [stream.slice(0, at), stream.slice(at)];
  switch (kind) {
    case "replace":
      return before + bytes + after.slice(bytes.length);
    case "insert":
      return before + bytes + after;
    case "delete":
      return before + after.slice(Math.max(bytes.length, 1));
    case "repeat":
      return before + after.slice(0, 20) + after;
    case "truncate":
      return before;
  }
}

/** Pieces of the grammar in any order: deeper into the parser than any bytes would come. */
export function soup(tokens: readonly Bytes[]): fc.Arbitrary<Bytes> {
  return fc
    .array(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...tokens) }, anyBytes(4)), { maxLength: 30 })
    .map((parts) => parts.join(""));
}
