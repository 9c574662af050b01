import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { execa } from "execa";
import { DirectoryStore } from "../../sentinel-image/backup/directory-store.ts";
import { encrypt } from "../../sentinel-image/backup/encryption.ts";
import { parseEncryptionKey } from "../../sentinel-image/backup/encryption-key.ts";
import {
  backupId,
  folderOf,
  type Manifest,
  manifestKey,
  writeManifest,
} from "../../sentinel-image/backup/manifest.ts";
import { freePort, RedisProcess, temporaryDirectory } from "../support/redis-process.ts";
import { body, bytesOf } from "../support/store-contents.ts";

const program = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const day = 24 * 3600_000;

describe("redis-ha backup and restore", function () {
  this.timeout(300_000);
  const directory = temporaryDirectory();
  const root = join(directory.path, "store");
  const keyFile = join(directory.path, "key.txt");
  const destination = ["--destination", pathToFileURL(root).href];
  let store: DirectoryStore;
  let newest: Manifest;
  let older: Manifest;

  before(async () => {
    mkdirSync(root);
    store = new DirectoryStore(root);
    const identity = await generateX25519Identity();
    writeFileSync(keyFile, `${identity}\n`);
    const data = join(directory.path, "data");
    mkdirSync(data);
    const port = await freePort();
    const server = await RedisProcess.start(port, ["--port", String(port), "--dir", data, "--save", ""]);
    try {
      for (let i = 0; i < 100; i++) await server.client.set(`key-${i}`, `value-${i}`);
      await server.client.call("SAVE");
      const info = String(await server.client.call("INFO", "server"));
      const version = /redis_version:(\S+)/.exec(info)?.[1] ?? "";
      const recipient = parseEncryptionKey(await identityToRecipient(identity));
      const plain = () => createReadStream(join(data, "dump.rdb"));
      older = await add(Date.now() - 2 * day, version, "none", await bytesOf(plain()));
      newest = await add(Date.now() - 3600_000, version, "age", await bytesOf(encrypt(plain(), recipient)));
    } finally {
      await server.kill();
    }
  });
  after(() => directory.remove());

  async function add(
    createdMs: number,
    version: string,
    encryption: "none" | "age",
    bytes: Buffer,
  ): Promise<Manifest> {
    const id = backupId(createdMs, "redis-instance-2");
    const key = `${folderOf(id)}/dump.rdb${encryption === "age" ? ".age" : ""}`;
    await store.put(key, body(bytes));
    const manifest: Manifest = {
      formatVersion: 1,
      id,
      kind: "full",
      createdMs,
      instance: "redis-instance-2",
      server: { name: "redis", version },
      replication: { id: "a".repeat(40), offset: 1 },
      keys: { "0": 100 },
      pieces: [{ key, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") }],
      increments: [],
      encryption,
    };
    await writeManifest(store, manifest);
    return manifest;
  }

  async function run(
    ...args: string[]
  ): Promise<{ stdout: string; stderr: string; exitCode: number | undefined }> {
    const { stdout, stderr, exitCode } = await execa(process.execPath, [program, ...args], {
      reject: false,
      stdin: "ignore",
    });
    return { stdout, stderr, exitCode };
  }

  it("lists, verifies, restores, and deletes; what is refused changes nothing", async () => {
    const listed = await run("backup", "list", ...destination, "--json");
    assert.equal(listed.exitCode, 0, listed.stderr);
    const report = JSON.parse(listed.stdout);
    assert.deepEqual(
      report.backups.map((each: Record<string, unknown>) => [each.id, each.keys, each.encryption, each.good]),
      [
        [newest.id, 100, "age", true],
        [older.id, 100, "none", true],
      ],
    );
    const text = await run("backup", "list", ...destination);
    assert.match(
      text.stdout,
      new RegExp(`${newest.id} +1 h \\d+ min .* age +whole, never loaded\\n${older.id} +2 d 0 h`),
    );

    const verified = await run("backup", "verify", ...destination, "--key-file", keyFile, "--json");
    assert.equal(verified.exitCode, 0, verified.stderr);
    assert.deepEqual(JSON.parse(verified.stdout), {
      id: newest.id,
      ok: true,
      depth: "loaded",
      detail: "loaded: 100 keys",
    });
    const sums = await run("backup", "verify", ...destination);
    assert.equal(sums.exitCode, 0, sums.stderr);
    assert.match(
      sums.stdout,
      /is good: all bytes are as they were stored; not decrypted: name the key with --key-file/,
    );

    const target = join(directory.path, "look");
    const restored = await run("restore", ...destination, "--key-file", keyFile, "--to-local", target);
    assert.equal(restored.exitCode, 0, restored.stderr);
    for (const appendOnly of ["yes", "no"]) {
      const port = await freePort();
      const server = await RedisProcess.start(port, [
        "--port",
        String(port),
        "--dir",
        join(target, "redis-1"),
        "--appendonly",
        appendOnly,
      ]);
      try {
        assert.equal(await server.client.dbsize(), 100);
        assert.equal(await server.client.get("key-77"), "value-77");
      } finally {
        await server.kill();
      }
    }
    const again = await run("restore", ...destination, "--key-file", keyFile, "--to-local", target);
    assert.equal(again.exitCode, 1);
    assert.match(again.stderr, /look isn't empty .*Nothing was changed/);

    const last = await run("backup", "delete", older.id, newest.id, ...destination, "--yes");
    assert.equal(last.exitCode, 1);
    assert.match(last.stderr, /No good backup would remain/);
    const unsure = await run("backup", "delete", older.id, ...destination);
    assert.equal(unsure.exitCode, 1);
    assert.match(unsure.stderr, /Nothing was deleted: say --yes/);
    assert.ok(existsSync(join(root, manifestKey(older.id))));
    const deleted = await run("backup", "delete", older.id, ...destination, "--yes");
    assert.equal(deleted.exitCode, 0, deleted.stderr);
    assert.deepEqual(readdirSync(join(root, "backups")), [newest.id]);
  });

  it("says in one sentence what is wrong, and leaves nothing of a bad backup", async () => {
    const target = join(directory.path, "nothing");
    const noKey = await run("restore", ...destination, "--to-local", target);
    assert.equal(noKey.exitCode, 1);
    assert.match(noKey.stderr, /is encrypted: name the file with the identity/);
    assert.ok(!existsSync(target));

    const [piece] = newest.pieces;
    assert.ok(piece);
    const bytes = await bytesOf(store.get(piece.key));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await store.put(piece.key, body(bytes));
    const bad = await run("backup", "verify", newest.id, ...destination, "--key-file", keyFile);
    assert.equal(bad.exitCode, 1);
    assert.match(bad.stdout, new RegExp(`^${newest.id} is BAD: .*(damaged|cut off)`));
    const refused = await run("restore", ...destination, "--key-file", keyFile, "--to-local", target);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /is (damaged|cut off)/);
    assert.ok(!existsSync(target));
  });
});
