import { X509Certificate } from "node:crypto";

/** When a certificate ends, ms since 1970; undefined when the text is none. */
export function certificateEnd(pem: string | Buffer): number | undefined {
  try {
    return Date.parse(new X509Certificate(pem).validTo);
  } catch {
    return undefined;
  }
}
