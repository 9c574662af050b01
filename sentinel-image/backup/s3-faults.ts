import { textOf } from "./s3-xml.ts";
import { StoreError } from "./store-error.ts";

/** An answer that isn't what was asked for. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Its text: an XML document `Error`, nothing after `HEAD`, or whatever stands before the store. */
  readonly text: string;
}

/** What was asked, for the sentence. */
export interface Asked {
  /** The endpoint: `https://host:port`. */
  readonly origin: string;
  readonly bucket: string;
  /** The whole key in the bucket; empty: the bucket itself. */
  readonly key: string;
  /** `written`, `read`, `listed`, `removed`. */
  readonly purpose: string;
}

/** Another try may help: the store has too much to do, or something in it is broken for a moment. */
export function isPassing({ status, text }: Refusal): boolean {
  const code = textOf(text, "Code") ?? "";
  // Amazon says RequestTimeout with 400 when a body came too slowly.
  return status >= 500
    ? code !== "NotImplemented" && !fullCodes.has(code) && status !== 507
    : status === 429 || passingCodes.has(code);
}

/** One sentence for a refusal. @param now the clock of this machine, in milliseconds. */
export function explainRefusal(refusal: Refusal, asked: Asked, now = Date.now()): StoreError {
  const { status, headers, text } = refusal;
  const code = textOf(text, "Code") ?? "";
  const message = (textOf(text, "Message") ?? "").trim().replace(/\s+/g, " ").slice(0, 200);
  const place = `s3://${asked.bucket}${asked.key === "" ? "" : `/${asked.key}`}`;
  const answer = [String(status), code].filter(Boolean).join(" ");

  if (code === "RequestTimeTooSkewed" || /request.*too skewed|expired.*clock/i.test(message))
    return new StoreError(
      "clock",
      `${asked.origin} refuses requests, since clocks differ${skew(headers, now)}: set this machine's clock right.`,
    );
  if (credentialCodes.has(code))
    return new StoreError(
      "access",
      `${asked.origin} refuses the credentials (${code}): check the access key, its secret and the region.`,
    );
  if (
    lockedCodes.has(code) ||
    (/\b(worm|object lock|locked|retention|legal hold)\b/i.test(message) && status >= 400 && status < 500)
  )
    return new StoreError(
      "locked",
      `${place} is locked (${answer}) and can't be ${asked.purpose}: wait until its retention ends, or keep backups longer than the lock.`,
    );
  if (code === "NoSuchBucket")
    return new StoreError(
      "no-destination",
      `There is no bucket ${asked.bucket} at ${asked.origin}: create it, or name another one.`,
    );
  if (
    status === 301 ||
    status === 307 ||
    code === "PermanentRedirect" ||
    code === "AuthorizationHeaderMalformed" ||
    code === "IllegalLocationConstraintException"
  ) {
    const region = textOf(text, "Region") ?? headers["x-amz-bucket-region"];
    return new StoreError(
      "no-destination",
      `The bucket ${asked.bucket} isn't in this region${region === undefined ? "" : ` but in ${region}`}: set the region, or the endpoint of that one.`,
    );
  }
  if (code === "NoSuchKey" || code === "NoSuchUpload" || (status === 404 && asked.key !== ""))
    return new StoreError("no-object", `${place} isn't there.`);
  if (code === "InvalidObjectState")
    return new StoreError("access", `${place} is in an archive of the store: restore it there first.`);
  if (status === 412) return new StoreError("changed", `${place} was changed while it was read: try again.`);
  if (fullCodes.has(code) || status === 507 || /no space left|disk.*full|quota/i.test(message))
    return new StoreError(
      "full",
      `${place} can't be ${asked.purpose}, the store is full (${answer}): make room or keep fewer backups.`,
    );
  if (status === 401 || status === 403)
    return new StoreError(
      "access",
      `${place} may not be ${asked.purpose} with these credentials (${answer}): allow it to the access key, or use another one.`,
    );
  if (status >= 500 || status === 429 || passingCodes.has(code))
    return new StoreError(
      "busy",
      `${place} can't be ${asked.purpose}: ${asked.origin} answers ${answer}${message === "" ? "" : ` (${message})`} again and again.`,
    );
  return new StoreError(
    "protocol",
    `${place} can't be ${asked.purpose}: ${asked.origin} answers ${answer}${message === "" ? "" : ` (${message})`}. Is it an S3 endpoint?`,
  );
}

/** One sentence for a connection that failed. */
export function explainConnection(error: unknown, asked: Asked): StoreError {
  const { code = "", message = String(error) } = error as NodeJS.ErrnoException;
  const reason =
    code === "ECONNREFUSED"
      ? "nothing listens there"
      : code === "ENOTFOUND" || code === "EAI_AGAIN"
        ? "its name can't be resolved"
        : code === "EPROTO" || /wrong version number|Parse Error/.test(message)
          ? "it speaks another protocol: http:// instead of https://, or the other way round"
          : isCertificateFault(error)
            ? `its certificate isn't accepted (${code}): name its authority's file`
            : message.replace(/\s+/g, " ").slice(0, 200);
  return new StoreError("unreachable", `${asked.origin} can't be reached: ${reason}.`, { cause: error });
}

/** Trying again won't make the certificate, or the protocol, another one. */
export function isCertificateFault(error: unknown): boolean {
  const { code = "" } = error as NodeJS.ErrnoException;
  return /CERT|ERR_TLS|UNABLE_TO|EPROTO/.test(code);
}

function skew(headers: Refusal["headers"], now: number): string {
  const theirs = Date.parse(String(headers.date));
  return Number.isNaN(theirs) ? "" : ` by ${Math.round(Math.abs(now - theirs) / 1000)} s`;
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what MinIO, Ceph and Versity add.
const credentialCodes = new Set([
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "InvalidToken",
  "ExpiredToken",
  "InvalidSecurity",
  "AccountProblem",
  "XAdminUserNotFound",
]);
const lockedCodes = new Set(["ObjectLocked"]);
const fullCodes = new Set([
  "QuotaExceeded",
  "StorageFull",
  "XMinioStorageFull",
  "XMinioAdminBucketQuotaExceeded",
  "InsufficientStorage",
]);
const passingCodes = new Set(["RequestTimeout", "SlowDown", "OperationAborted", "TooManyRequests"]);
