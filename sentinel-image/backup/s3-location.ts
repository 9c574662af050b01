import { UserError } from "../../runtime/user-error.ts";
import { checkKey } from "./object-store.ts";

/** Where the objects of a destination lie. */
export interface S3Location {
  readonly bucket: string;
  /** Before each key; empty or ending in `/`. */
  readonly prefix: string;
  /** URL of the bucket without a `/` at its end. */
  readonly bucketUrl: string;
  readonly region: string;
}

/**
 * Reads `s3://bucket[/prefix]`. With an endpoint the bucket is part of the path, as all stores other than Amazon's take it.
 *
 * @throws {UserError} for a destination or an endpoint that isn't one.
 */
export function locate(
  destination: string,
  {
    endpoint,
    region = "us-east-1",
  }: { readonly endpoint?: string | undefined; readonly region?: string | undefined },
): S3Location {
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  const [, bucket, path = ""] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(destination) ?? [];
  if (bucket === undefined)
    throw new UserError(
      `'${destination}' is no destination of backups: use s3://bucket/prefix or file:///path.`,
    );
  const inside = path.replace(/\/+$/, "");
  try {
    if (inside !== "") checkKey(inside);
  } catch (error) {
    throw new UserError(
      `'${destination}' is no destination of backups: use s3://bucket/prefix or file:///path, with letters, digits, '.', '_', '-' and '/' in the prefix.`,
      { cause: error },
    );
  }
  if (!/^[a-z0-9-]+$/.test(region))
    throw new UserError(`'${region}' is no region: use one like eu-central-1.`);
  return {
    bucket,
    prefix: inside === "" ? "" : `${inside}/`,
    bucketUrl: urlOf(bucket, endpoint, region),
    region,
  };
}

function urlOf(bucket: string, endpoint: string | undefined, region: string): string {
  if (endpoint === undefined) {
    const host = `s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
    // Amazon's certificate is for one name before the host.
    return bucket.includes(".") ? `https://${host}/${bucket}` : `https://${bucket}.${host}`;
  }
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const plain = url?.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (url === undefined || !plain || !/^https?:$/.test(url.protocol) || url.pathname !== "/")
    throw new UserError(`'${endpoint}' is no endpoint of a store: use https://host or https://host:port.`);
  return `${url.origin}/${bucket}`;
}
