// The library describes its classes with decorators, which need this.
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** A certificate and its key, as PEM. */
export interface CertificateAndKey {
  readonly cert: string;
  readonly key: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMs = 24 * 3600 * 1000;
/** Clocks of two machines differ. */
const backdateMs = 3600 * 1000;

/**
 * An authority of one's own, for `days`. It can sign servers and clients, and no further authority.
 *
 * @param key its key as PEM; default: a new one.
 */
export async function issueAuthority(name: string, days: number, key?: string): Promise<CertificateAndKey> {
  const keys = await keyPair(key);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    // Not as text, in which a comma would begin another part: two authorities with one name can't be told apart.
    name: [{ CN: [name] }],
    ...validity(days),
    signingAlgorithm: algorithm,
    keys: keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key: await keyPem(keys) };
}

/**
 * A certificate for a program that is a server and a client, signed by an authority.
 *
 * @param names DNS names and IP addresses under which it is reached.
 * @param key its key as PEM; default: a new one.
 */
export async function issueCertificate(
  authority: CertificateAndKey,
  { names, days }: { readonly names: readonly string[]; readonly days: number },
  key?: string,
): Promise<CertificateAndKey> {
  const issuer = new X509Certificate(authority.cert);
  const signingKey = await webcrypto.subtle.importKey(
    "pkcs8",
    PemConverter.decodeFirst(authority.key),
    algorithm,
    false,
    ["sign"],
  );
  const keys = await keyPair(key);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: "CN=redis-ha",
    issuer: issuer.subject,
    ...validity(days),
    publicKey: keys.publicKey,
    signingKey: signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? "ip" : "dns", value })),
      ),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key: await keyPem(keys) };
}

async function keyPair(pem: string | undefined): Promise<webcrypto.CryptoKeyPair> {
  if (pem === undefined) {
    return (await webcrypto.subtle.generateKey(algorithm, true, [
      "sign",
      "verify",
    ])) as webcrypto.CryptoKeyPair;
  }
  // A private key holds its public one.
  const privateKey = await webcrypto.subtle.importKey(
    "pkcs8",
    PemConverter.decodeFirst(pem),
    algorithm,
    true,
    ["sign"],
  );
  const { kty, crv, x, y } = await webcrypto.subtle.exportKey("jwk", privateKey);
  const jwk = Object.fromEntries(
    Object.entries({ kty, crv, x, y }).filter(([, value]) => value !== undefined),
  );
  return { privateKey, publicKey: await webcrypto.subtle.importKey("jwk", jwk, algorithm, true, ["verify"]) };
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - backdateMs), notAfter: new Date(now + days * dayMs) };
}

/** Positive, and unlike every other. */
function serialNumber(): string {
  return `01${randomBytes(15).toString("hex")}`;
}

async function keyPem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", privateKey), "PRIVATE KEY")}\n`;
}
