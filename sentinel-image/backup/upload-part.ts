import { createHash } from "node:crypto";
import type { HashedBody } from "./s3-connection.ts";

/** Memory for one part of an upload, used again and again. Its sums grow with it, so that no sum of megabytes stops everything else. */
export class UploadPart {
  readonly #buffer: Buffer;
  #used = 0;
  #sha256 = createHash("sha256");
  #md5 = createHash("md5");

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafeSlow(size);
  }

  get isFull(): boolean {
    return this.#used === this.#buffer.length;
  }

  /** Takes what there is room for. @returns the rest. */
  take(bytes: Uint8Array): Uint8Array {
    const taken = bytes.subarray(0, this.#buffer.length - this.#used);
    this.#buffer.set(taken, this.#used);
    this.#used += taken.byteLength;
    this.#sha256.update(taken);
    this.#md5.update(taken);
    return bytes.subarray(taken.byteLength);
  }

  /** What it holds; valid until `clear`. To be called once. */
  body(): HashedBody {
    return {
      bytes: this.#buffer.subarray(0, this.#used),
      sha256: this.#sha256.digest("hex"),
      md5: this.#md5.digest("base64"),
    };
  }

  clear(): void {
    this.#used = 0;
    this.#sha256 = createHash("sha256");
    this.#md5 = createHash("md5");
  }
}
