const factors: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/**
 * Bytes of a Kubernetes quantity such as `1Gi`, `500M` or `1073741824`; undefined when the text is none.
 * Exponents and milli-bytes, which Kubernetes also allows, are refused: nobody means them for sizes.
 */
export function parseQuantity(text: string): number | undefined {
  const match = /^(?<number>\d+(?:\.\d+)?)(?<unit>[A-Za-z]*)$/.exec(text);
  const factor = match?.groups && factors[match.groups.unit ?? ""];
  if (!match?.groups || factor === undefined) return undefined;
  const bytes = Math.floor(Number(match.groups.number) * factor);
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}
