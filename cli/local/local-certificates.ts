import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { acceptedGenerations } from "../../runtime/access/passwords.ts";
import { replaceFile } from "../../runtime/replace-file.ts";
import { tlsFileNames } from "../../runtime/tls-files.ts";
import {
  type CertificateAndKey,
  issueAuthority,
  issueCertificate,
} from "../certificates/issue-certificate.ts";

export interface LocalCertificatesOptions {
  /** Generation of the authority in use. */
  readonly generation: number;
  /** Names and addresses of all parts. */
  readonly hosts: readonly string[];
  /** Further names of the proxy. */
  readonly hostnames: readonly string[];
}

const authoritiesFile = "authorities.json";
const authorityDays = 3650;
const certificateDays = 365;

/**
 * Writes the certificates of a local topology, readable for this user alone. The authorities stay from one start to the next,
 * so that clients which trust one of them go on to; certificates are new each time.
 */
export async function writeLocalCertificates(
  directory: string,
  { generation, hosts, hostnames }: LocalCertificatesOptions,
): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const kept = readAuthorities(join(directory, authoritiesFile));
  const authorities: Record<string, CertificateAndKey> = {};
  for (const number of acceptedGenerations(generation)) {
    authorities[number] =
      kept[number] ?? (await issueAuthority(`redis-ha local authority ${number}`, authorityDays));
  }
  replaceFile(join(directory, authoritiesFile), JSON.stringify(authorities));
  const ca = Object.values(authorities)
    .map(({ cert }) => cert)
    .join("");
  const current = authorities[generation];
  if (current === undefined) throw new Error(`there is no authority of generation ${generation}`);
  for (const kind of ["server", "proxy"] as const) {
    const folder = join(directory, kind);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const names = ["localhost", ...new Set(["127.0.0.1", ...hosts]), ...(kind === "proxy" ? hostnames : [])];
    const { cert, key } = await issueCertificate(current, { names, days: certificateDays });
    replaceFile(join(folder, tlsFileNames.ca), ca);
    replaceFile(join(folder, tlsFileNames.key), key);
    replaceFile(join(folder, tlsFileNames.cert), cert);
  }
}

function readAuthorities(file: string): Record<string, CertificateAndKey> {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Record<string, CertificateAndKey>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return {};
  }
}
