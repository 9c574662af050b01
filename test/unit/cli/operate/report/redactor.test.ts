import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { Redactor } from "../../../../../cli/operate/report/redactor.ts";
import { namesSecret } from "../../../../../cli/operate/report/secret-patterns.ts";

const password = "Corr3ct/h0rse+battery";
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 1024,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const keyLines = privateKey.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
/** As the product derives one. */
const derived = createHash("sha1").update("a user").digest("hex");

const jwt = `eyJ${"a".repeat(30)}.${"b".repeat(30)}.${"c".repeat(30)}`;
const cloudKey = "AKIAIOSFODNN7EXAMPLE";

/** What is left of a document that is the only one. */
function redact<T extends string | object>(content: T): T {
  const redactor = new Redactor();
  redactor.learn(content);
  return redactor.redact(content);
}

describe("what a report hides", () => {
  for (const text of [
    `redis://app:${encodeURIComponent(password)}@10.0.0.1:6379/0`,
    `rediss://:${derived}@host`,
    `password=${password}`,
    `PASSWORD: ${password} and more`,
    `db.password = "${password}"`,
    `{"level":30,"user":{"passwd":"${password}"}}`,
    `said {"a":{"token":"${password}"}} and went on`,
    `said {\\"api_key\\":\\"${password}\\"} in JSON in JSON`,
    `{"msg":"{\\"masterauth\\":\\"${password}\\"}"}`,
    `requirepass ${password}`,
    `CONFIG SET masterauth "${password}"`,
    `["requirepass","${password}"]`,
    `sentinel auth-pass mymaster ${password}`,
    `AUTH ${password}`,
    `got: HELLO 3 AUTH app ${password} SETNAME x`,
    `"AUTH" "app" "${password}"`,
    `["HELLO","3","AUTH","app","${password}"]`,
    `ACL SETUSER app on >old-${password} >${password} ~*`,
    `redis-cli -h host -a ${password} ping`,
    `mysql --db-password ${password}`,
    `Authorization: Bearer ${password}`,
    `{"env":[{"name":"APP_SECRET","value":"${password}"}]}`,
    `{"args":["--requirepass","${password}"]}`,
    `{"command":["redis-cli","-a","${password}"]}`,
    `{"passwords":["first-one","${password}"]}`,
    `the words ${derived} stand alone`,
    `and so do ${Buffer.from(derived).toString("base64")} these`,
    `#${createHash("sha256").update(derived).digest("hex")}`,
    `sent ${jwt} to`,
    `denied to ${cloudKey}.`,
    privateKey,
    JSON.stringify({ msg: `read ${privateKey}` }),
    `{"nested":${JSON.stringify(JSON.stringify({ a: privateKey }))}}`,
    `cut off ${privateKey.slice(0, 300)}`,
    `${privateKey.slice(200)}the beginning is cut off`,
    `${keyLines[3]}`,
    `tls.key: ${Buffer.from(privateKey).toString("base64")}`,
  ]) {
    it(text.slice(0, 60).replaceAll("\n", " "), () => {
      const left = JSON.stringify(redact(text));
      const leaked = [
        password,
        JSON.stringify(password).slice(1, -1),
        encodeURIComponent(password),
        derived,
        jwt.slice(40, 60),
        cloudKey,
        Buffer.from(derived).toString("base64").slice(0, 40),
        createHash("sha256").update(derived).digest("hex"),
        ...keyLines.map((line) => line.slice(0, 30)),
        Buffer.from(privateKey).toString("base64").slice(60, 100),
      ].filter((secret) => left.includes(secret));
      assert.deepEqual(leaked, [], left);
    });
  }

  it("is hidden also where nothing tells that it is a secret, in any form, when it is known from elsewhere", () => {
    const redactor = new Redactor();
    redactor.learn({ env: [{ name: "DB_PASSWORD", value: password }] });
    redactor.learn(`read ${privateKey}`);
    const base64 = Buffer.from(password).toString("base64");
    const hash = createHash("sha256").update(password).digest("hex");
    const text = [password, base64, encodeURIComponent(password), hash, keyLines[2]?.slice(0)].join(" | ");
    assert.equal(redactor.redact(text), Array(5).fill("[hidden]").join(" | "));
  });

  it("is hidden also in the name of a field", () => {
    const redactor = new Redactor();
    redactor.add(password);
    assert.deepEqual(redactor.redact({ [`of ${password}`]: true }), { "of [hidden]": true });
  });

  it("a run id is told apart from others by a name, and by no other report's", () => {
    const id = "03b903a1d190df4c5591e692eb96564d181afaf1";
    const redactor = new Redactor();
    const [, first, second] =
      /^(id-\w{10}) (id-\w{10}) 0{8}$/.exec(redactor.redact(`${id} ${derived} 00000000`)) ?? [];
    assert.ok(first);
    assert.notEqual(first, second);
    assert.equal(redactor.redact({ run_id: id }).run_id, first);
    assert.notEqual(new Redactor().redact(id), first);
  });

  it("is nothing else", () => {
    const text = [
      "31805:X 30 Nov 2026 15:28:46.769 # +odown master redis-ha-local 127.0.0.1 26101 #quorum 3/2",
      '{"level":30,"time":"2026-11-30T15:28:46.562Z","program":"proxy","port":26000,"msg":"listening"}',
      "WRONGPASS invalid username-password pair or user is disabled.",
      "REDIS_PASSWORD_FILE=/secrets/supervisor",
      'MountVolume.SetUp failed for volume "credentials" : secret "credentials-1f2e" not found',
      "proxy@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      "password: null, automountServiceAccountToken: false",
    ].join("\n");
    assert.equal(redact(text), text);
    const pod = {
      secretKeyRef: { name: "credentials-1f2e", key: "password" },
      volumes: [{ secret: { secretName: "password-1f2e" } }],
      env: [{ name: "REDIS_PASSWORD_FILE", value: "/secrets/supervisor" }],
      automountServiceAccountToken: false,
      uid: "6c84fb90-12c4-11e1-840d-7b25c5ee775a",
      existingSecret: "mine",
    };
    assert.deepEqual(redact(pod), pod);
  });

  it("is found by the names of fields", () => {
    for (const name of [
      "password",
      "DB_PASSWORD",
      "masterauth",
      "requirepass",
      "apiKey",
      "accessTokens",
      "--pass",
    ])
      assert.ok(namesSecret(name), name);
    for (const name of [
      "REDIS_PASSWORD_FILE",
      "passwordGeneration",
      "user",
      "existingSecret",
      "secretName",
      "-h",
    ])
      assert.ok(!namesSecret(name), name);
  });

  it("is hidden in seconds even where the text is made to be slow", function () {
    this.timeout(120_000);
    // Of this process: the machine may have others.
    const begin = process.cpuUsage();
    redact("a-".repeat(30_000));
    redact(`${"QUJD".repeat(16)}\n`.repeat(3000));
    redact("password ".repeat(10_000));
    redact("user ".repeat(10_000));
    redact("-----BEGIN PRIVATE KEY-----\n".repeat(2000));
    redact("eyJ".repeat(20_000));
    const { user, system } = process.cpuUsage(begin);
    const seconds = (user + system) / 1e6;
    assert.ok(seconds < 6, `${seconds} s of CPU`);
  });
});
