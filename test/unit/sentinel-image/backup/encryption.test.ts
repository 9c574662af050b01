import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  Decrypter,
  Encrypter,
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from "age-encryption";
import { decrypt, encrypt } from "../../../../sentinel-image/backup/encryption.ts";
import {
  type EncryptionKey,
  parseEncryptionKey,
  readEncryptionKey,
} from "../../../../sentinel-image/backup/encryption-key.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";
import { body, bytesOf } from "../../../support/store-contents.ts";

const chunk = 64 * 1024;

describe("the encryption of backups", () => {
  let identity: string;
  let recipient: string;
  let key: EncryptionKey;

  before(async () => {
    identity = await generateX25519Identity();
    recipient = await identityToRecipient(identity);
    key = parseEncryptionKey(`# created: today\n# public key: ${recipient}\n${identity}\n`);
  });

  for (const size of [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 7]) {
    it(`of ${size} bytes is read by age's own implementation, and reads what that writes`, async () => {
      const plain = sample(size);
      const sealed = await bytesOf(encrypt(inPieces(plain, 10_000), key));
      const theirs = new Decrypter();
      theirs.addIdentity(identity);
      assert.ok(plain.equals(await theirs.decrypt(new Uint8Array(sealed))));

      const encrypter = new Encrypter();
      encrypter.addRecipient(recipient);
      const back = await bytesOf(
        decrypt(inPieces(await encrypter.encrypt(new Uint8Array(plain)), 777), key, "it"),
      );
      assert.ok(plain.equals(back));
    });
  }

  it("needs only the recipient, which can't decrypt", async () => {
    const alone = parseEncryptionKey(recipient);
    const sealed = await bytesOf(encrypt(body("secret"), alone));
    assert.equal((await bytesOf(decrypt(body(sealed), key, "it"))).toString(), "secret");
    await assert.rejects(
      bytesOf(decrypt(body(sealed), alone, "a/data")),
      /^UserError: a\/data can't be read with a recipient/,
    );
  });

  it("reads a file that was made for several, of which it is one", async () => {
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(await generateX25519Identity()));
    encrypter.addRecipient(recipient);
    assert.equal(
      (await bytesOf(decrypt(body(await encrypter.encrypt("for both")), key, "it"))).toString(),
      "for both",
    );
  });

  it("says that the key is another one", async () => {
    const sealed = await bytesOf(encrypt(body("secret"), key));
    const other = parseEncryptionKey(await generateX25519Identity());
    await assert.rejects(
      bytesOf(decrypt(body(sealed), other, "a/data")),
      /a\/data was encrypted for another key/,
    );
  });

  it("says that it isn't encrypted at all", async () => {
    await assert.rejects(
      bytesOf(decrypt(body("REDIS0012..."), key, "a/data")),
      /a\/data isn't encrypted with age/,
    );
    await assert.rejects(bytesOf(decrypt(body("R"), key, "a/data")), /a\/data isn't encrypted with age/);
  });

  it("notices wherever it is cut off", async () => {
    const sealed = await bytesOf(encrypt(body(sample(2 * chunk + 100)), key));
    const header = sealed.indexOf("\n--- ") + 50;
    const payload = sealed.length - (2 * (chunk + 16) + 116);
    for (const length of [
      0,
      10,
      header,
      payload,
      payload + 5,
      payload + chunk + 16,
      payload + 2 * (chunk + 16),
      sealed.length - 1,
    ])
      await assert.rejects(
        bytesOf(decrypt(inPieces(sealed.subarray(0, length), 1000), key, "a/data")),
        /a\/data is cut off/,
        `${length} of ${sealed.length} bytes`,
      );
  });

  it("notices a changed byte anywhere, a doubled, a missing and an exchanged chunk, and what was appended", async () => {
    const sealed = await bytesOf(encrypt(body(sample(3 * chunk + 100)), key));
    const payload = sealed.length - (3 * (chunk + 16) + 116);
    const chunks = [0, 1, 2].map((i) =>
      sealed.subarray(payload + i * (chunk + 16), payload + (i + 1) * (chunk + 16)),
    );
    const [head, last] = [sealed.subarray(0, payload), sealed.subarray(payload + 3 * (chunk + 16))];
    const [a, b, c] = chunks as [Buffer, Buffer, Buffer];
    for (const wrong of [
      [head, b, a, c, last],
      [head, a, a, b, c, last],
      [head, a, c, last],
      [head, a, b, c, last, Buffer.from("more")],
      [head, a, b, c, last, last],
    ])
      await assert.rejects(
        bytesOf(decrypt(inPieces(Buffer.concat(wrong), 5000), key, "a/data")),
        /a\/data is (damaged|cut off)/,
      );
    for (let at = 0; at < sealed.length; at += at < 250 ? 1 : 20_011) {
      const wrong = Buffer.from(sealed);
      wrong[at] = (wrong[at] ?? 0) ^ 1;
      await assert.rejects(
        bytesOf(decrypt(inPieces(wrong, 5000), key, "a/data")),
        /^UserError: a\/data /,
        `byte ${at}`,
      );
    }
  });

  it("takes the header's tag in one spelling only", async () => {
    const sealed = await bytesOf(encrypt(body("x"), key));
    const at = sealed.indexOf("\n", sealed.indexOf("\n--- ") + 1) - 1;
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const last = letters.indexOf(String.fromCharCode(sealed[at] ?? 0));
    for (const bits of [1, 2, 3]) {
      const wrong = Buffer.from(sealed);
      wrong[at] = letters.charCodeAt(last + bits);
      await assert.rejects(bytesOf(decrypt(body(wrong), key, "a/data")), /^UserError: a\/data /, `${bits}`);
    }
  });

  it("never gives out what isn't authenticated", async () => {
    const sealed = await bytesOf(encrypt(body(sample(2 * chunk)), key));
    sealed[sealed.length - chunk] = (sealed[sealed.length - chunk] ?? 0) ^ 1;
    let bytes = 0;
    await assert.rejects(async () => {
      for await (const piece of decrypt(inPieces(sealed, 5000), key, "it")) bytes += piece.byteLength;
    });
    assert.equal(bytes, chunk);
  });

  describe("by a key file", () => {
    const directory = temporaryDirectory();
    const file = join(directory.path, "key.txt");
    after(() => directory.remove());

    it("as age-keygen writes it", () => {
      writeFileSync(file, `# created: 2026-11-30\n# public key: ${recipient}\n${identity}\n`);
      assert.deepEqual(readEncryptionKey(file), key);
      assert.deepEqual(key.recipient, parseEncryptionKey(recipient).recipient);
    });

    it("that isn't there is named", () => {
      assert.throws(
        () => readEncryptionKey(join(directory.path, "nothing")),
        /nothing can't be read \(ENOENT\)/,
      );
    });

    it("with anything else is refused by a sentence that doesn't quote it", async () => {
      const hybrid = await generateHybridIdentity();
      for (const [text, sentence] of [
        ["", /holds 0 keys/],
        [`${identity}\n${identity}`, /holds 2 keys/],
        [`${identity.slice(0, -1)}`, /mistyped or cut off/],
        [`${identity.slice(0, -1)}${identity.endsWith("Q") ? "P" : "Q"}`, /mistyped or cut off/],
        ["hunter2", /holds no key of age/],
        [hybrid, /post-quantum/],
      ] as const) {
        writeFileSync(file, text);
        assert.throws(
          () => readEncryptionKey(file),
          (error: Error) => {
            assert.match(error.message, sentence);
            assert.ok(error.message.startsWith(`${file} holds `), error.message);
            assert.ok(text === "" || !error.message.includes(text.slice(-20)), "quotes the key");
            return true;
          },
        );
      }
    });
  });
});

/** Bytes that repeat nowhere soon. */
function sample(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + (i >> 16)) & 255;
  return bytes;
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}
