import { randomUUID } from "node:crypto";
import { hashed, type S3Connection } from "./s3-connection.ts";
import { explainRefusal } from "./s3-faults.ts";
import { escapeXml, isDocumentOf, textOf } from "./s3-xml.ts";
import { StoreError } from "./store-error.ts";
import { UploadPart } from "./upload-part.ts";

/**
 * One object on its way into a bucket: in one request when it fits into one part, else as an upload in parts, which the store puts together at the end.
 * Until then nothing is listed, and what was there before stays.
 */
export class S3Upload {
  /** Aborted when a part fails, or by the caller. */
  readonly signal: AbortSignal;
  readonly #connection: S3Connection;
  readonly #key: string;
  readonly #failing = new AbortController();
  /** Stored with the object: how it is known as this upload's when the answer to its completion is lost. */
  readonly #mark = randomUUID();
  #uploadId: Promise<string> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #parts = 0;
  readonly #etags: Promise<string>[] = [];
  readonly #sending = new Set<Promise<void>>();
  readonly #free: UploadPart[] = [];

  constructor(connection: S3Connection, key: string, signal: AbortSignal | undefined) {
    this.#connection = connection;
    this.#key = key;
    this.signal =
      signal === undefined ? this.#failing.signal : AbortSignal.any([signal, this.#failing.signal]);
  }

  /** The first failure of a request. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Memory for a part that isn't in use. */
  free(partBytes: number): UploadPart {
    return this.#free.pop() ?? new UploadPart(partBytes);
  }

  /** The same, when no more than two parts are on their way. */
  async nextFree(partBytes: number): Promise<UploadPart> {
    while (this.#sending.size >= maxSending) await Promise.race(this.#sending);
    this.signal.throwIfAborted();
    return this.free(partBytes);
  }

  /** Begins to send a part. Its failure ends everything by the signal. */
  send(part: UploadPart): void {
    const number = ++this.#parts;
    const etag = this.#sendPart(part, number);
    this.#etags.push(etag);
    const sending = etag.then(
      () => {
        part.clear();
        this.#free.push(part);
      },
      (error: unknown) => {
        this.#failure ??= { error };
        this.#failing.abort(error);
      },
    );
    this.#sending.add(sending);
    void sending.finally(() => this.#sending.delete(sending));
  }

  /** Sends the last part and puts the object together: afterwards it is there. */
  async finish(last: UploadPart): Promise<void> {
    if (this.#uploadId === undefined) {
      await this.#connection.sendForText({
        method: "PUT",
        key: this.#key,
        body: last.body(),
        purpose: "written",
        signal: this.signal,
      });
      return;
    }
    this.send(last);
    const etags = await Promise.all(this.#etags);
    await this.#complete(await this.#uploadId, etags);
  }

  /** Removes what was sent. Tried once: what is left is found by `removeUnfinished`. */
  async abort(): Promise<void> {
    this.#failing.abort(new Error("given up"));
    await Promise.all(this.#sending);
    const uploadId = await this.#uploadId?.catch(() => undefined);
    if (uploadId === undefined) return;
    await this.#connection
      .sendForText({
        method: "DELETE",
        key: this.#key,
        query: { uploadId },
        purpose: "removed",
        bounds: { attempts: 1, silenceMs: Math.min(10_000, this.#connection.bounds.silenceMs) },
      })
      .catch(() => {});
  }

  async #sendPart(part: UploadPart, number: number): Promise<string> {
    if (number > maxParts)
      throw new StoreError("full", `${this.#key} has more than ${maxParts} parts, which no store takes.`);
    this.#uploadId ??= this.#begin();
    const query = { uploadId: await this.#uploadId, partNumber: String(number) };
    const answer = await this.#connection.send({
      method: "PUT",
      key: this.#key,
      query,
      body: part.body(),
      purpose: "written",
      signal: this.signal,
    });
    answer.resume();
    const { etag } = answer.headers;
    if (etag === undefined)
      throw new StoreError(
        "protocol",
        `${this.#key} can't be written: the store gives a part no ETag. Is it an S3 endpoint?`,
      );
    return etag;
  }

  async #begin(): Promise<string> {
    const text = await this.#connection.sendForText({
      method: "POST",
      key: this.#key,
      query: { uploads: "" },
      headers: { [markHeader]: this.#mark },
      purpose: "written",
      signal: this.signal,
    });
    const uploadId = textOf(text, "UploadId");
    if (uploadId === undefined || uploadId === "")
      throw new StoreError(
        "protocol",
        `${this.#key} can't be written: the store begins no upload. Is it an S3 endpoint?`,
      );
    return uploadId;
  }

  async #complete(uploadId: string, etags: readonly string[]): Promise<void> {
    const parts = etags.map(
      (etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`,
    );
    const body = hashed(
      Buffer.from(
        `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join("")}</CompleteMultipartUpload>`,
      ),
    );
    try {
      const text = await this.#connection.sendForText({
        method: "POST",
        key: this.#key,
        query: { uploadId },
        headers: { "content-type": "application/xml" },
        body,
        purpose: "written",
        signal: this.signal,
        // Some stores copy all parts before they answer.
        bounds: { attempts: 2, silenceMs: Math.max(completionMs, this.#connection.bounds.silenceMs) },
      });
      // Amazon answers 200 before it is done, and says in the text how it went.
      if (isDocumentOf(text, "CompleteMultipartUploadResult")) return;
      const { bucket, bucketUrl } = this.#connection.location;
      throw explainRefusal(
        { status: 500, headers: {}, text },
        { origin: new URL(bucketUrl).origin, bucket, key: this.#key, purpose: "written" },
      );
    } catch (error) {
      this.signal.throwIfAborted();
      // The answer may have been lost, and the second request have found nothing to put together any more.
      if (await this.#isThere()) return;
      throw error;
    }
  }

  async #isThere(): Promise<boolean> {
    try {
      const answer = await this.#connection.send({
        method: "HEAD",
        key: this.#key,
        purpose: "read",
        signal: this.signal,
      });
      answer.resume();
      return answer.headers[markHeader] === this.#mark;
    } catch {
      return false;
    }
  }
}

const markHeader = "x-amz-meta-upload-mark";
/** Two on their way and one that is filled. */
const maxSending = 2;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const maxParts = 10_000;
const completionMs = 300_000;
