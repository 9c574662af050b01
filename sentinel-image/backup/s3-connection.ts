import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import {
  type ClientRequest,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
} from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates } from "node:tls";
import { AwsV4Signer } from "aws4fetch";
import { UserError } from "../../runtime/user-error.ts";
import { readWithin } from "./read-within.ts";
import {
  explainConnection,
  explainRefusal,
  isCertificateFault,
  isPassing,
  type Refusal,
} from "./s3-faults.ts";
import type { S3Location } from "./s3-location.ts";
import { StoreError } from "./store-error.ts";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Bounds of a request. */
export interface S3Bounds {
  /** How long nothing may move, in milliseconds, before an attempt is given up. */
  readonly silenceMs: number;
  readonly attempts: number;
  /** The pause before the second attempt; each further one is four times as long, and random by half. */
  readonly firstPauseMs: number;
  /** No further attempt begins after this time. */
  readonly giveUpMs: number;
}

/** With a store that refuses connections: an error after 5 s. With one that is frozen: after a minute to 1½. */
export const usualBounds: S3Bounds = { silenceMs: 30_000, attempts: 4, firstPauseMs: 250, giveUpMs: 60_000 };

export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** The whole key in the bucket; empty: the bucket. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HashedBody;
  /** For errors: `read`, `written`, `listed`, `removed`. */
  readonly purpose: string;
  readonly signal?: AbortSignal | undefined;
  /** Instead of those of the connection. */
  readonly bounds?: Partial<S3Bounds>;
}

/** A body with its sums, which the store compares: what is damaged on the way is refused. Amazon demands MD5 where objects are locked. */
export interface HashedBody {
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly md5: string;
}

/** Signed requests to one bucket, with a bounded number of attempts. */
export class S3Connection {
  readonly location: S3Location;
  readonly bounds: S3Bounds;
  readonly #credentials: S3Credentials;
  readonly #agent: PlainAgent;
  /** Keys of signatures, which are the same for a day. */
  readonly #signingKeys = new Map<string, ArrayBuffer>();

  /** @throws {UserError} when the file of authorities can't be read. */
  constructor(
    location: S3Location,
    credentials: S3Credentials,
    caFile: string | undefined,
    bounds = usualBounds,
  ) {
    this.location = location;
    this.bounds = bounds;
    this.#credentials = credentials;
    const kept = { keepAlive: true, maxSockets: 8 };
    this.#agent = location.bucketUrl.startsWith("https:")
      ? new TlsAgent({ ...kept, ...(caFile !== undefined && { ca: authorities(caFile) }) })
      : new PlainAgent(kept);
  }

  /**
   * Sends a request until it is answered well, or for good badly.
   *
   * @returns an answer of 200 to 299, whose body has to be read or destroyed.
   * @throws {StoreError} or the signal's reason.
   */
  async send(request: S3Request): Promise<IncomingMessage> {
    const bounds = { ...this.bounds, ...request.bounds };
    const begin = Date.now();
    for (let attempt = 1; ; attempt++) {
      request.signal?.throwIfAborted();
      const failure = await this.#try(request, bounds);
      if ("answer" in failure) return failure.answer;
      request.signal?.throwIfAborted();
      if (!failure.passing || attempt >= bounds.attempts || Date.now() - begin > bounds.giveUpMs)
        throw (
          (request.body && failure.error.fault === "unreachable" && (await this.#askWhy(bounds))) ||
          failure.error
        );
      const pause = bounds.firstPauseMs * 4 ** (attempt - 1) * (0.75 + Math.random() / 2);
      await sleep(pause, undefined, { signal: request.signal }).catch(() => {});
    }
  }

  /** Sends a request whose answer is a short text. */
  async sendForText(request: S3Request): Promise<string> {
    const answer = await this.send(request);
    try {
      return await readText(answer, this.bounds.silenceMs);
    } catch (error) {
      request.signal?.throwIfAborted();
      throw explainConnection(error, this.#asked(request));
    }
  }

  /** @returns the sentence for a failure of the connection while an answer was read. */
  explain(error: unknown, request: Pick<S3Request, "key" | "purpose">): StoreError {
    return error instanceof StoreError ? error : explainConnection(error, this.#asked(request));
  }

  async #try(
    request: S3Request,
    bounds: S3Bounds,
  ): Promise<{ answer: IncomingMessage } | { error: StoreError; passing: boolean }> {
    try {
      const answer = await this.#sendOnce(request, bounds.silenceMs);
      const { statusCode: status = 0, headers } = answer;
      if (status >= 200 && status < 300) return { answer };
      const refusal: Refusal = { status, headers, text: await readText(answer, bounds.silenceMs) };
      return { error: explainRefusal(refusal, this.#asked(request)), passing: isPassing(refusal) };
    } catch (error) {
      return { error: explainConnection(error, this.#asked(request)), passing: !isCertificateFault(error) };
    }
  }

  /** Why a body wasn't taken: a store that ends the connection instead of reading it takes its own answer away with it. */
  async #askWhy({ silenceMs }: S3Bounds): Promise<StoreError | undefined> {
    const question: S3Request = {
      method: "GET",
      key: "",
      query: { "list-type": "2", "max-keys": "1" },
      purpose: "written",
    };
    const asked = await this.#try(question, { ...this.bounds, silenceMs });
    if ("error" in asked) return asked.error.fault === "unreachable" ? undefined : asked.error;
    asked.answer.resume();
    return undefined;
  }

  async #sendOnce(
    { method, key, query = {}, headers = {}, body, signal }: S3Request,
    silenceMs: number,
  ): Promise<IncomingMessage> {
    const url = new URL(this.location.bucketUrl);
    url.pathname = `${url.pathname.replace(/\/$/, "")}/${key}`;
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const signer = new AwsV4Signer({
      ...this.#credentials,
      method,
      url: url.href,
      headers: {
        ...headers,
        "x-amz-content-sha256": body?.sha256 ?? sha256OfNothing,
        ...(body !== undefined && { "content-md5": body.md5 }),
      },
      service: "s3",
      region: this.location.region,
      cache: this.#signingKeys,
    });
    const signed = await signer.sign();
    const sent = (url.protocol === "https:" ? tlsRequest : plainRequest)(signed.url, {
      method,
      agent: this.#agent,
      headers: {
        ...Object.fromEntries(signed.headers),
        ...((body !== undefined || method === "PUT" || method === "POST") && {
          "content-length": body?.bytes.byteLength ?? 0,
        }),
        ...(isAnnounced(body) && { expect: "100-continue" }),
      },
      ...(signal !== undefined && { signal }),
      timeout: silenceMs,
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer for ${silenceMs / 1000} s`)));
    // One that comes after the answer is told to whoever reads the answer.
    sent.on("error", () => {});
    const answered = once(sent, "response") as Promise<[IncomingMessage]>;
    const [[answer]] = await Promise.all([answered, writeBody(sent, body)]);
    // From here on reading has its own bound, which doesn't run while nobody reads.
    sent.setTimeout(0);
    answer.on("error", () => {});
    return answer;
  }

  #asked({ key, purpose }: Pick<S3Request, "key" | "purpose">) {
    const { bucket, bucketUrl } = this.location;
    return { origin: new URL(bucketUrl).origin, bucket, key, purpose };
  }
}

/** A store that refuses a big body says so before it is sent. Otherwise it ends the connection, and its answer is lost with it. */
function isAnnounced(body: HashedBody | undefined): boolean {
  return body !== undefined && body.bytes.byteLength > sliceBytes;
}

/** Gives a body to the connection as it takes it: a part at once would lie in memory twice, three times with TLS. */
async function writeBody(sent: ClientRequest, body: HashedBody | undefined): Promise<void> {
  // An early answer, or the end of the connection, ends the writing: what it means says the answer or its error.
  const over = new Promise<void>((resolve) => {
    sent.once("response", () => resolve());
    sent.once("close", () => resolve());
  });
  let ended = false;
  void over.then(() => {
    ended = true;
  });
  if (isAnnounced(body)) {
    sent.flushHeaders();
    await Promise.race([
      new Promise<void>((resolve) => sent.once("continue", () => resolve())),
      over,
      sleep(continueMs, undefined, { ref: false }),
    ]);
  }
  const { bytes } = body ?? { bytes: new Uint8Array() };
  for (let at = 0; at < bytes.byteLength && !ended; at += sliceBytes) {
    if (sent.write(bytes.subarray(at, at + sliceBytes))) continue;
    await Promise.race([new Promise<void>((resolve) => sent.once("drain", () => resolve())), over]);
  }
  if (ended && isAnnounced(body)) sent.destroy();
  else sent.end();
}

async function readText(answer: IncomingMessage, silenceMs: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of readWithin(answer, silenceMs)) {
    bytes += part.byteLength;
    if (bytes > maxTextBytes) throw new Error(`an answer of more than ${maxTextBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** The system's authorities, and those of the file. */
function authorities(caFile: string): string[] {
  try {
    return [...getCACertificates("default"), readFileSync(caFile, "utf8")];
  } catch (error) {
    throw new UserError(
      `The certificate authorities ${caFile} can't be read (${(error as NodeJS.ErrnoException).code}): name a PEM file.`,
      { cause: error },
    );
  }
}

/** The sums of bytes that are in memory at once and few. */
export function hashed(bytes: Uint8Array): HashedBody {
  return {
    bytes,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    md5: createHash("md5").update(bytes).digest("base64"),
  };
}

const sha256OfNothing = createHash("sha256").digest("hex");
const sliceBytes = 256 * 1024;
/** How long a store that doesn't know `Expect` is waited for. */
const continueMs = 1000;
/** A page of a list has up to 1000 entries of at most 2 KiB. */
const maxTextBytes = 8 * 1024 * 1024;
