import { fileURLToPath } from "node:url";
import { UserError } from "../../runtime/user-error.ts";
import { DirectoryStore } from "./directory-store.ts";
import type { ObjectStore } from "./object-store.ts";
import { S3Connection } from "./s3-connection.ts";
import { locate } from "./s3-location.ts";
import { S3Store } from "./s3-store.ts";

/** What a bucket needs; a directory needs none of it. */
export interface StoreAccess {
  /** `https://host[:port]` of a store other than Amazon's. */
  readonly endpoint?: string;
  /** Default: `us-east-1`, which most other stores take. */
  readonly region?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** PEM file with the certificate authorities of the endpoint, beside those of the system. */
  readonly caFile?: string;
}

/**
 * The store of a destination: `s3://bucket[/prefix]` or `file:///path`. Nothing is asked yet.
 *
 * @throws {UserError} for anything else.
 */
export function openStore(destination: string, access: StoreAccess = {}): ObjectStore {
  const url = URL.canParse(destination) ? new URL(destination) : undefined;
  if (url?.protocol === "file:" && url.host === "" && url.pathname !== "/")
    return new DirectoryStore(fileURLToPath(url).replace(/\/+$/, ""));
  const location = locate(destination, access);
  const { accessKeyId, secretAccessKey, caFile } = access;
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new UserError(`${destination} needs an access key and its secret.`);
  return new S3Store(new S3Connection(location, { accessKeyId, secretAccessKey }, caFile));
}
