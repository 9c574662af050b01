import { X509Certificate } from "node:crypto";

/** The values in Prometheus' text format that have no labels, by name. */
export function readMetrics(text: string): Record<string, number> {
  const values = text.split("\n").flatMap((line) => {
    const match = /^([a-zA-Z_:][\w:]*) (\S+)/.exec(line);
    return match === null ? [] : [[match[1] ?? "", Number(match[2])] as const];
  });
  return Object.fromEntries(values);
}

/** When a certificate ends, ms since 1970; undefined when the text is none. */
export function certificateEnd(pem: string): number | undefined {
  try {
    return Date.parse(new X509Certificate(pem).validTo);
  } catch {
    return undefined;
  }
}
