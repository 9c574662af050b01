import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { issueAuthority, issueCertificate } from "../../cli/certificates/issue-certificate.ts";
import type { ObjectStore } from "../../sentinel-image/backup/object-store.ts";
import { openStore } from "../../sentinel-image/backup/open-store.ts";
import { type S3Bounds, S3Connection, usualBounds } from "../../sentinel-image/backup/s3-connection.ts";
import { locate } from "../../sentinel-image/backup/s3-location.ts";
import { S3Store } from "../../sentinel-image/backup/s3-store.ts";
import { StoreError } from "../../sentinel-image/backup/store-error.ts";
import { temporaryDirectory } from "../support/redis-process.ts";
import { S3Server, s3Credentials, s3ServerBuildMs } from "../support/s3-server.ts";
import { body, bytesOf, keysOf, textOf } from "../support/store-contents.ts";
import { TcpRelay } from "../support/tcp-relay.ts";

const partBytes = 5 * 1024 * 1024;
/** So that a test needn't wait for the minutes that a store is given. */
const hasty: S3Bounds = { silenceMs: 3000, attempts: 3, firstPauseMs: 20, giveUpMs: 5000 };

describe("a bucket of backups, on a real S3 server", function () {
  this.timeout(180_000);
  const directory = temporaryDirectory();
  let server: S3Server;
  let store: ObjectStore;
  let bucket: string;
  let run = 0;

  before(async function () {
    this.timeout(s3ServerBuildMs);
    const buckets = join(directory.path, "buckets");
    mkdirSync(buckets);
    server = await S3Server.start({ directory: buckets });
  });
  after(async () => {
    await server?.kill();
    directory.remove();
  });
  beforeEach(() => {
    // One of its own for each: a server that was harmed may still be busy with the one before.
    bucket = `backups-${++run}`;
    server.createBucket(bucket);
    store = open();
  });

  /** A store with small parts; @param port of a relay before the server. */
  function open({ bounds = usualBounds, port = server.port, prefix = "/stack/a" } = {}): ObjectStore {
    const location = locate(`s3://${bucket}${prefix}`, { endpoint: `http://127.0.0.1:${port}` });
    return new S3Store(new S3Connection(location, s3Credentials, undefined, bounds), {
      partBytes,
      pageKeys: 3,
    });
  }

  it("gives back what was put, whole, and replaces it", async () => {
    assert.deepEqual(await store.put("backups/x/manifest.json", body("one", "two")), { bytes: 6 });
    assert.equal(await textOf(store.get("backups/x/manifest.json")), "onetwo");
    await store.put("backups/x/manifest.json", body("three"));
    assert.equal(await textOf(store.get("backups/x/manifest.json")), "three");
    await store.put("empty", body());
    assert.equal(await textOf(store.get("empty")), "");
  });

  for (const size of [partBytes - 1, partBytes, partBytes + 1, 3 * partBytes, 4 * partBytes + 12345])
    it(`stores ${size} bytes, whatever the pieces and parts`, async () => {
      assert.deepEqual(await store.put("big", pieces(size)), { bytes: size });
      assert.deepEqual(await sumOf(store.get("big")), await sumOf(pieces(size)));
      assert.deepEqual(server.unfinished(bucket), []);
    });

  it("lists what is below its prefix, page by page, with sizes and times", async () => {
    const elsewhere = open({ prefix: "" });
    await elsewhere.put("stack/ab/not-mine", body("x"));
    await elsewhere.put("other", body("x"));
    for (const key of ["a/b", "a-b", "a/c/d"]) await store.put(key, body(key));
    assert.deepEqual((await keysOf(store, "")).toSorted(), ["a-b", "a/b", "a/c/d"]);
    assert.deepEqual((await keysOf(store, "a/")).toSorted(), ["a/b", "a/c/d"]);
    assert.deepEqual(await keysOf(store, "nothing/"), []);
    for await (const { bytes, modifiedMs } of store.list("a/c/")) {
      assert.equal(bytes, 5);
      assert.ok(Math.abs(Date.now() - modifiedMs) < 60_000);
    }
    for (let i = 0; i < 10; i++) await store.put(`many/k${i}`, body(""));
    assert.equal(new Set(await keysOf(store, "many/")).size, 10);
  });

  it("removes an object; one that isn't there is no error", async () => {
    await store.put("a/b", body("x"));
    await store.remove("a/b");
    await store.remove("a/b");
    assert.deepEqual(await keysOf(store, ""), []);
  });

  it("keeps what was there, and nothing else, when the body fails: its error is passed on as it is", async () => {
    await store.put("a", body("good"));
    const failure = new Error("the source is gone");
    async function* failing(): AsyncIterable<Uint8Array> {
      yield* pieces(3 * partBytes);
      throw failure;
    }
    await assert.rejects(store.put("a", failing()), (error) => error === failure);
    assert.equal(await textOf(store.get("a")), "good");
    assert.deepEqual(server.unfinished(bucket), []);
  });

  it("is aborted at once, also while the body has nothing to say", async () => {
    const aborting = new AbortController();
    async function* stuck(): AsyncIterable<Uint8Array> {
      yield* pieces(2 * partBytes);
      setTimeout(() => aborting.abort(new Error("enough")), 200);
      await new Promise(() => {});
    }
    await assert.rejects(store.put("a", stuck(), { signal: aborting.signal }), /^Error: enough$/);
    assert.deepEqual(await keysOf(store, ""), []);
    assert.deepEqual(server.unfinished(bucket), []);
    await store.put("a", pieces(3 * partBytes));
    const reading = new AbortController();
    await assert.rejects(async () => {
      for await (const _ of store.get("a", { signal: reading.signal })) reading.abort(new Error("stop"));
    }, /^Error: stop$/);
  });

  it("says in one sentence what is wrong", async () => {
    const endpoint = server.endpoint;
    await rejectsAs(
      textOf(store.get("a/b")),
      "no-object",
      /^s3:\/\/backups-\d+\/stack\/a\/a\/b isn't there\.$/,
    );
    const missing = openStore("s3://no-such-bucket/a", server.access);
    await rejectsAs(keysOf(missing, ""), "no-destination", /There is no bucket no-such-bucket at http:/);
    await rejectsAs(missing.put("a", body("x")), "no-destination", /There is no bucket no-such-bucket/);
    await rejectsAs(
      missing.put("a", pieces(2 * partBytes)),
      "no-destination",
      /There is no bucket no-such-bucket/,
    );
    await rejectsAs(textOf(missing.get("a")), "no-destination", /There is no bucket no-such-bucket/);
    const wrongKey = openStore(`s3://${bucket}`, { ...server.access, accessKeyId: "nobody" });
    await rejectsAs(keysOf(wrongKey, ""), "access", /refuses the credentials \(XAdminUserNotFound\)/);
    const wrongSecret = openStore(`s3://${bucket}`, { ...server.access, secretAccessKey: "hunter2" });
    await rejectsAs(
      wrongSecret.put("a", body("x")),
      "access",
      /refuses the credentials \(SignatureDoesNotMatch\)/,
    );
    const tls = new S3Connection(
      locate(`s3://${bucket}`, { endpoint: endpoint.replace("http", "https") }),
      s3Credentials,
      undefined,
      hasty,
    );
    await rejectsAs(
      keysOf(new S3Store(tls), ""),
      "unreachable",
      /https:\/\/127\.0\.0\.1:\d+ can't be reached: it speaks another protocol/,
    );
    const region = openStore(`s3://${bucket}`, { ...server.access, region: "eu-central-1" });
    await rejectsAs(keysOf(region, ""), "no-destination", /set the region/);
  });

  it("says that the clocks differ", async () => {
    const program = `
      import { openStore } from "./sentinel-image/backup/open-store.ts";
      const real = Date; const ahead = 3600_000;
      globalThis.Date = class extends real { constructor(...args) { args.length === 0 ? super(real.now() + ahead) : super(...args); } static now() { return real.now() + ahead; } };
      const store = openStore("s3://${bucket}", ${JSON.stringify(server.access)});
      try { for await (const x of store.list("")); } catch (error) { console.log(error.fault, error.message); }`;
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
    assert.match(said, /^clock http:.* since clocks differ by 36\d\d s/);
  });

  it("goes on after a connection was cut off, in the middle of a put and of a get", async () => {
    const relay = await TcpRelay.start(server.port);
    try {
      const through = open({ bounds: { ...hasty, attempts: 4 }, port: relay.port });
      relay.cutAfter("client", 2.5 * partBytes);
      await through.put("big", pieces(4 * partBytes));
      assert.equal(relay.cuts, 1);
      relay.cutAfter("server", 1.5 * partBytes);
      assert.deepEqual(await sumOf(through.get("big")), await sumOf(pieces(4 * partBytes)));
      assert.equal(relay.cuts, 2);
      assert.deepEqual(server.unfinished(bucket), []);
    } finally {
      relay.close();
    }
  });

  for (const [how, harm, mend] of [
    ["is killed", () => server.kill(), () => server.start()],
    ["is frozen", () => server.freeze(), () => server.thaw()],
    ["loses its bucket", () => server.removeBucket(bucket), () => server.createBucket(bucket)],
  ] as const) {
    it(`fails within its bounds when the server ${how} in the middle of a put; the last good one stays, and the next one works`, async () => {
      const quick = open({ bounds: hasty });
      await store.put("last", pieces(2 * partBytes));
      async function* harmful(): AsyncIterable<Uint8Array> {
        yield* pieces(2 * partBytes);
        await harm();
        yield* pieces(2 * partBytes);
      }
      const begin = performance.now();
      const failed = await quick.put("next", harmful()).catch((error: unknown) => error);
      const took = performance.now() - begin;
      await mend();
      assert.ok(failed instanceof StoreError, String(failed));
      assert.match(failed.message, how === "loses its bucket" ? /no bucket|isn't there/ : /can't be reached/);
      assert.ok(took < 60_000, `${took} ms`);
      const lost = how === "loses its bucket";
      assert.deepEqual(await keysOf(store, ""), lost ? [] : ["last"]);
      if (!lost) assert.deepEqual(await sumOf(store.get("last")), await sumOf(pieces(2 * partBytes)));
      await store.put("next", pieces(3 * partBytes));
      assert.deepEqual(await sumOf(store.get("next")), await sumOf(pieces(3 * partBytes)));
      // What couldn't be aborted is found later.
      await store.removeUnfinished?.(0);
      assert.deepEqual(server.unfinished(bucket), []);
    });

    it(`fails within its bounds when the server ${how} in the middle of a get`, async () => {
      const quick = open({ bounds: hasty });
      await store.put("last", pieces(24 * 1024 * 1024));
      let bytes = 0;
      const failed = await (async () => {
        for await (const piece of quick.get("last")) {
          if (bytes === 0) await harm();
          bytes += piece.byteLength;
        }
        return undefined;
      })().catch((error: unknown) => error);
      await mend();
      // A file that is open is read to its end although its bucket is gone.
      if (how === "loses its bucket" && failed === undefined) assert.equal(bytes, 24 * 1024 * 1024);
      else {
        assert.ok(failed instanceof StoreError, String(failed));
        assert.ok(bytes < 24 * 1024 * 1024);
      }
    });
  }

  it("notices that an object was replaced while a lost connection was made again", async () => {
    const relay = await TcpRelay.start(server.port);
    try {
      const through = open({ bounds: hasty, port: relay.port });
      await store.put("big", pieces(24 * 1024 * 1024));
      let first = true;
      await rejectsAs(
        (async () => {
          for await (const _ of through.get("big")) {
            if (first) {
              await store.put("big", pieces(25 * 1024 * 1024));
              relay.cutAfter("server", 0);
            }
            first = false;
          }
        })(),
        "changed",
        /was changed while it was read/,
      );
    } finally {
      relay.close();
    }
  });

  it("fails when the store's disk is full, says so, and works when there is room again", async function () {
    const full = join(directory.path, "full");
    mkdirSync(full);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", full], { stdio: "pipe" });
    } catch {
      this.skip();
    }
    const small = await S3Server.start({ directory: full });
    try {
      small.createBucket(bucket);
      const its = new S3Store(
        new S3Connection(locate(`s3://${bucket}`, small.access), s3Credentials, undefined, hasty),
        { partBytes },
      );
      await its.put("last", pieces(2 * partBytes));
      await rejectsAs(its.put("next", pieces(64 * 1024 * 1024)), "full", /the store is full/);
      assert.deepEqual(await keysOf(its, ""), ["last"]);
      assert.deepEqual(small.unfinished(bucket), []);
      await its.put("next", pieces(partBytes));
      assert.deepEqual((await keysOf(its, "")).toSorted(), ["last", "next"]);
    } finally {
      await small.kill();
      execFileSync("umount", [full]);
    }
  });

  it("speaks TLS with the authorities of a file, and refuses others in one sentence", async () => {
    const authority = await issueAuthority("an authority of the test", 30);
    const { cert, key } = await issueCertificate(authority, { names: ["127.0.0.1"], days: 30 });
    const [certFile, keyFile, caFile] = ["tls.crt", "tls.key", "ca.crt"].map((name) =>
      join(directory.path, name),
    ) as [string, string, string];
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    writeFileSync(caFile, authority.cert);
    const buckets = join(directory.path, "tls-buckets");
    mkdirSync(buckets);
    const secure = await S3Server.start({ directory: buckets, tls: { cert: certFile, key: keyFile } });
    try {
      secure.createBucket(bucket);
      const its = openStore(`s3://${bucket}`, { ...secure.access, caFile });
      await its.put("a", pieces(partBytes));
      assert.deepEqual(await sumOf(its.get("a")), await sumOf(pieces(partBytes)));
      await rejectsAs(
        keysOf(openStore(`s3://${bucket}`, secure.access), ""),
        "unreachable",
        /its certificate isn't accepted/,
      );
      assert.throws(
        () => openStore(`s3://${bucket}`, { ...secure.access, caFile: "/nowhere.crt" }),
        /\/nowhere\.crt can't be read \(ENOENT\)/,
      );
    } finally {
      await secure.kill();
    }
  });
});

/** Bytes that repeat nowhere soon, in pieces of odd sizes. */
async function* pieces(size: number): AsyncIterable<Uint8Array> {
  const block = Buffer.alloc(100_003, createHash("sha512").update(String(size)).digest());
  for (let at = 0; at < size; at += block.length) {
    block.writeUInt32BE(at, 0);
    yield Buffer.from(block.subarray(0, Math.min(block.length, size - at)));
  }
}

async function sumOf(stream: AsyncIterable<Uint8Array>): Promise<{ bytes: number; sha256: string }> {
  const bytes = await bytesOf(stream);
  return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

async function rejectsAs(promise: Promise<unknown>, fault: string, pattern: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof StoreError, String((error as Error).stack));
    assert.match(error.message, pattern);
    assert.equal(error.fault, fault);
    assert.doesNotMatch(error.message, /hunter2|test-secret/);
    return true;
  });
}
