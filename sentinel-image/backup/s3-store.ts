import type { IncomingMessage } from "node:http";
import { BodySource } from "./body-source.ts";
import { checkKey, type ObjectStore, type StoredObject, type StoreOptions } from "./object-store.ts";
import { readWithin } from "./read-within.ts";
import type { S3Connection } from "./s3-connection.ts";
import { S3Upload } from "./s3-upload.ts";
import { elementsOf, isDocumentOf, textOf } from "./s3-xml.ts";
import { StoreError } from "./store-error.ts";

/** Backups in a bucket of Amazon S3, or of anything that speaks its protocol. */
export class S3Store implements ObjectStore {
  readonly #connection: S3Connection;
  readonly #prefix: string;
  readonly #partBytes: number;
  readonly #pageKeys: number;

  /**
   * @param partBytes size of the parts of a big object, 5 MiB or more; three of them are in memory at most.
   * @param pageKeys how many objects a page of a list has, 1 to 1000.
   */
  constructor(connection: S3Connection, { partBytes = usualPartBytes, pageKeys = 1000 } = {}) {
    this.#connection = connection;
    this.#prefix = connection.location.prefix;
    this.#partBytes = partBytes;
    this.#pageKeys = pageKeys;
  }

  async put(
    key: string,
    body: AsyncIterable<Uint8Array>,
    { signal }: StoreOptions = {},
  ): Promise<{ bytes: number }> {
    checkKey(key);
    const upload = new S3Upload(this.#connection, this.#prefix + key, signal);
    const source = new BodySource(body);
    let bytes = 0;
    try {
      let part = upload.free(this.#partBytes);
      for await (const piece of source.pieces(upload.signal)) {
        bytes += piece.byteLength;
        for (let rest = piece; rest.byteLength > 0; ) {
          // A full part is sent when there is more: an object of one part needs no upload in parts.
          if (part.isFull) {
            upload.send(part);
            part = await upload.nextFree(this.#partBytes);
          }
          rest = part.take(rest);
        }
      }
      await upload.finish(part);
      return { bytes };
    } catch (error) {
      const failure = upload.failure ?? { error };
      await upload.abort();
      signal?.throwIfAborted();
      throw failure.error;
    }
  }

  async *get(key: string, { signal }: StoreOptions = {}): AsyncIterable<Uint8Array> {
    checkKey(key);
    const whole = this.#prefix + key;
    let at = 0;
    let version: { readonly bytes: number; readonly etag: string } | undefined;
    for (let failures = 0; ; ) {
      const answer = await this.#read(whole, at, version?.etag, signal);
      version ??= { bytes: lengthOf(answer, whole), etag: String(answer.headers.etag ?? "") };
      const before = at;
      let failure: unknown;
      try {
        for await (const piece of readWithin(answer, this.#connection.bounds.silenceMs, signal)) {
          at += piece.byteLength;
          yield piece;
        }
      } catch (error) {
        signal?.throwIfAborted();
        failure = error;
      }
      if (at === version.bytes) return;
      if (at > version.bytes)
        throw new StoreError(
          "protocol",
          `s3://${this.#connection.location.bucket}/${whole} came with more bytes than announced.`,
        );
      failures = at - before >= resumeBytes ? 0 : failures + 1;
      if (failures >= this.#connection.bounds.attempts)
        throw this.#connection.explain(failure ?? new Error("answers end too early"), {
          key: whole,
          purpose: "read",
        });
    }
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    let token: string | undefined;
    do {
      const page = await this.#page("ListBucketResult", {
        "list-type": "2",
        "max-keys": String(this.#pageKeys),
        prefix: this.#prefix + prefix,
        ...(token !== undefined && { "continuation-token": token }),
      });
      for (const entry of elementsOf(page, "Contents")) {
        const key = textOf(entry, "Key") ?? "";
        const object = {
          key: key.slice(this.#prefix.length),
          bytes: Number(textOf(entry, "Size")),
          modifiedMs: Date.parse(textOf(entry, "LastModified") ?? ""),
        };
        // A key that ends in a slash is somebody's picture of a folder.
        if (key.startsWith(this.#prefix) && !key.endsWith("/")) yield object;
      }
      token = textOf(page, "IsTruncated") === "true" ? textOf(page, "NextContinuationToken") : undefined;
    } while (token !== undefined);
  }

  async remove(key: string): Promise<void> {
    checkKey(key);
    await this.#connection
      .sendForText({ method: "DELETE", key: this.#prefix + key, purpose: "removed" })
      .catch((error: unknown) => {
        if (!(error instanceof StoreError && error.fault === "no-object")) throw error;
      });
  }

  async removeUnfinished(olderThanMs: number): Promise<number> {
    let removed = 0;
    let markers: Record<string, string> | undefined = {};
    while (markers !== undefined) {
      const page: string = await this.#page("ListMultipartUploadsResult", {
        uploads: "",
        prefix: this.#prefix,
        ...markers,
      });
      for (const entry of elementsOf(page, "Upload")) {
        const [key = "", uploadId = ""] = [textOf(entry, "Key"), textOf(entry, "UploadId")];
        const begun = Date.parse(textOf(entry, "Initiated") ?? "");
        if (!key.startsWith(this.#prefix) || Number.isNaN(begun) || Date.now() - begun < olderThanMs)
          continue;
        await this.#connection
          .sendForText({ method: "DELETE", key, query: { uploadId }, purpose: "removed" })
          .catch((error: unknown) => {
            if (!(error instanceof StoreError && error.fault === "no-object")) throw error;
          });
        removed++;
      }
      markers =
        textOf(page, "IsTruncated") === "true"
          ? {
              "key-marker": textOf(page, "NextKeyMarker") ?? "",
              "upload-id-marker": textOf(page, "NextUploadIdMarker") ?? "",
            }
          : undefined;
    }
    return removed;
  }

  /** The rest of one version of an object. */
  async #read(
    key: string,
    at: number,
    etag: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<IncomingMessage> {
    const resumed = etag !== undefined;
    try {
      const answer = await this.#connection.send({
        method: "GET",
        key,
        headers: resumed ? { range: `bytes=${at}-`, "if-match": etag } : {},
        purpose: "read",
        signal,
      });
      const range = answer.headers["content-range"];
      if (!resumed || at === 0 || (answer.statusCode === 206 && range?.startsWith(`bytes ${at}-`) === true))
        return answer;
      answer.destroy();
      throw new StoreError(
        "protocol",
        `s3://${this.#connection.location.bucket}/${key} can't be read on in its middle after a lost connection: try again.`,
      );
    } catch (error) {
      if (!resumed || !(error instanceof StoreError) || error.fault !== "no-object") throw error;
      throw new StoreError(
        "changed",
        `s3://${this.#connection.location.bucket}/${key} was removed while it was read.`,
        { cause: error },
      );
    }
  }

  async #page(document: string, query: Record<string, string>): Promise<string> {
    const page = await this.#connection.sendForText({ method: "GET", key: "", query, purpose: "listed" });
    if (isDocumentOf(page, document)) return page;
    const { bucketUrl } = this.#connection.location;
    throw new StoreError(
      "protocol",
      `${bucketUrl} answers something else than a list of objects: is it an S3 endpoint?`,
    );
  }
}

/** 10 000 parts of it are 156 GiB. Three of them are in memory: 48 MiB. */
const usualPartBytes = 16 * 1024 * 1024;
/** What a connection must have brought so that its loss isn't counted. */
const resumeBytes = 1024 * 1024;

function lengthOf(answer: IncomingMessage, key: string): number {
  const length = answer.headers["content-length"];
  if (length !== undefined) return Number(length);
  answer.destroy();
  throw new StoreError(
    "protocol",
    `${key} is answered without its length: is something between here and the store?`,
  );
}
