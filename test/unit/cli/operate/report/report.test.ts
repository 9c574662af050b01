import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { prepareDirectory } from "../../../../../cli/local/local-directory.ts";
import { writeLocalSecrets } from "../../../../../cli/local/local-secrets.ts";
import { LocalTopology } from "../../../../../cli/local/local-topology.ts";
import { Kubectl } from "../../../../../cli/operate/kubectl.ts";
import { localTarget } from "../../../../../cli/operate/local-target.ts";
import { collectReport } from "../../../../../cli/operate/report/collect-report.ts";
import { hideSecrets } from "../../../../../cli/operate/report/hide-secrets.ts";
import type { Surroundings } from "../../../../../cli/operate/report/surroundings.ts";
import { refuseOutput, writeArchive } from "../../../../../cli/operate/report/write-archive.ts";
import { stackTarget } from "../../../../../cli/operate/stack-target.ts";
import { temporaryDirectory } from "../../../../support/redis-process.ts";
import { podObject, StubKubectl } from "../../../../support/stub-kubectl.ts";
import { walkArchive } from "../../../../support/walk-archive.ts";

/** One that somebody chose. */
const given = "Corr3ct/h0rse+battery";
/** One of the product's. */
const derived = createHash("sha1").update("a user").digest("hex");
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 1024,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const keyLine = privateKey.split("\n")[4] ?? "";
const everything = `${given} and ${derived} and ${privateKey}`;

/** What no archive may hold, in any of its forms. */
const forms = [given, derived].flatMap((secret) => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString("base64"),
  createHash("sha256").update(secret).digest("hex"),
]);
const forbidden = [
  ...forms,
  ...privateKey.split("\n").filter((line) => line !== "" && !line.startsWith("-----")),
];

function textOf(content: string | object): string {
  return typeof content === "string" ? content : JSON.stringify(content);
}

/** Packs what was collected, unpacks it again, and says in which files what stands that must not. */
async function leaks(collected: Surroundings, directory: string): Promise<string[]> {
  const file = join(directory, `${Math.random()}.tar.gz`);
  await writeArchive(file, hideSecrets(collected, new Date()));
  const files = await walkArchive(file);
  assert.deepEqual(
    [...files.keys()].toSorted(),
    ["report.json", ...collected.documents.map(({ path }) => path)].toSorted(),
  );
  for (const [path, text] of files) if (path.endsWith(".json")) JSON.parse(text);
  return [...files].flatMap(([path, text]) =>
    forbidden.filter((secret) => text.includes(secret)).map((secret) => `${path}: ${secret}`),
  );
}

describe("a report", function () {
  this.timeout(30_000);
  const directory = temporaryDirectory();

  after(() => directory.remove());

  describe("of a stack", () => {
    let stub: StubKubectl;
    let collected: Surroundings;

    before(async () => {
      const metadata = {
        annotations: {
          note: everything,
          "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({ a: everything }),
        },
        managedFields: [{ manager: everything }],
      };
      const object = (kind: string, name: string, more: object = {}) => ({
        kind,
        metadata: {
          name,
          labels: { "app.kubernetes.io/component": "redis", "redis-ha/workload": "redis-instance-1" },
          ...metadata,
        },
        ...more,
      });
      const container = {
        image:
          "registry.example/redis@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        args: ["--requirepass", given, `--key=${privateKey}`],
        env: [
          { name: "REDIS_PASSWORD_FILE", value: "/secrets/supervisor" },
          { name: "REDIS_EXTRA_CONFIG", value: `masterauth ${given}\nslowlog-max-len 10\n# ${derived}` },
          { name: "APP_PASSWORD", value: given },
          { name: "OTHER", value: "a value that isn't the product's" },
          { name: "KEY", valueFrom: { secretKeyRef: { name: "their-secret", key: "password" } } },
        ],
      };
      const spec = { containers: [container] };
      const deployment = object("Deployment", "redis-instance-1", { spec: { template: { spec } } });
      const list = (...items: object[]): string => JSON.stringify({ items });
      const answers = [
        `@self svc-redis-instance-1:6379\n@master redis-ha-dev\n@sentinels svc-redis-sentinel-1:26379`,
        `@replies svc-redis-instance-1:6379\n"OK"\n"1:2"\n[]\n[]\n[]\n["maxclients","10"]\n# Server\nredis_version:8.2.9\nrun_id:${derived}\nconfig_file:${given}\n@end`,
        `@replies svc-redis-sentinel-1:26379\n"OK"\n["svc-redis-instance-1","6379"]\n${JSON.stringify(["name", "redis-ha-dev", "auth-pass", given, "key", privateKey])}\n[]\n[]\n"${derived}"\n# Server\nredis_version:8.2.9\n@end`,
      ];
      stub = new StubKubectl([
        {
          to: "get pods,deployments",
          stdout: list(
            deployment,
            {
              kind: "Deployment",
              metadata: {
                name: "redis-sentinel-1",
                labels: {
                  "app.kubernetes.io/component": "sentinel",
                  "redis-ha/workload": "redis-sentinel-1",
                },
              },
            },
            podObject("redis-instance-1-x", "redis", "redis-instance-1", 1),
            podObject("redis-sentinel-1-x", "sentinel", "redis-sentinel-1"),
          ),
        },
        { to: "get pods ", stdout: list(object("Pod", "redis-instance-1-x", { spec })) },
        { to: "get deployments ", stdout: list(deployment) },
        { to: "get services ", stdout: list(object("Service", "svc-redis-instance-1")) },
        {
          to: "get persistentvolumeclaims ",
          stdout: list(object("PersistentVolumeClaim", "pvc-redis-instance-1")),
        },
        {
          to: "get events ",
          stdout: list(
            {
              metadata: { name: "1" },
              involvedObject: { name: "redis-instance-1-gone" },
              message: everything,
            },
            { metadata: { name: "2" }, involvedObject: { name: "somebody-else" }, message: "not ours" },
          ),
        },
        { to: "version", stdout: JSON.stringify({ serverVersion: { gitVersion: "v1.34.0" } }) },
        { to: "exec --stdin pod/redis-instance-1-x", stdout: answers.join("\n") },
        {
          to: "logs pod/redis-instance-1-x",
          stdout: [
            `1:M 30 Nov 2026 15:28:03.000 # ${everything}`,
            JSON.stringify({
              level: 30,
              time: "2026-11-30T15:28:04.000Z",
              msg: "x",
              password: given,
              all: everything,
            }),
            `REDIS_URL=redis://app:${encodeURIComponent(given)}@host ${Buffer.from(given).toString("base64")}`,
          ].join("\n"),
        },
      ]);
      const target = stackTarget(new Kubectl({ namespace: "redis-ha-dev", context: undefined }), "");
      collected = await collectReport(target, 100, () => undefined);
    });

    after(() => stub.remove());

    it("is filled with secrets in every place before they are hidden, and no Secret is asked for", () => {
      const places = [
        ["objects/pods.json", given, derived, keyLine],
        ["objects/deployments.json", given, derived, keyLine],
        ["objects/services.json", given, derived, keyLine],
        ["objects/persistentvolumeclaims.json", given, derived, keyLine],
        ["objects/events.json", given, derived, keyLine],
        ["settings.json", given, derived],
        ["redis.json", given, derived],
        ["sentinels.json", given, derived, keyLine],
        ["logs/redis-instance-1.log", given, derived, keyLine],
      ] as const;
      const texts = new Map(collected.documents.map(({ path, content }) => [path, textOf(content)]));
      for (const [path, ...secrets] of places)
        for (const secret of secrets) assert.ok(texts.get(path)?.includes(secret), `${path}: ${secret}`);
      assert.deepEqual(
        stub.calls.filter((call) => /secret|configmap|\ball\b/i.test(call)),
        [],
      );
    });

    it("holds none of them in any form", async () => {
      assert.deepEqual(await leaks(collected, directory.path), []);
    });

    it("says what it has, what it hasn't, and why", () => {
      const files = new Map(hideSecrets(collected, new Date(0)).map(({ path, text }) => [path, text]));
      const { files: names, missing } = JSON.parse(files.get("report.json") ?? "");
      assert.deepEqual(["report.json", ...names].toSorted(), [...files.keys()].toSorted());
      const forbiddenToGet = (kind: string) => ({
        what: kind,
        why: "kubectl get: Error from server (Forbidden): you may not",
      });
      for (const kind of ["replicasets", "poddisruptionbudgets", "networkpolicies"])
        assert.ok(
          missing.some((item: object) => JSON.stringify(item) === JSON.stringify(forbiddenToGet(kind))),
          kind,
        );
      assert.ok(missing.some(({ what }: { what: string }) => what === "log of redis-sentinel-1"));
    });

    it("keeps what helps: settings, references to Secrets, images, versions; nobody else's events and variables", () => {
      const files = new Map(hideSecrets(collected, new Date(0)).map(({ path, text }) => [path, text]));
      const settings = JSON.parse(files.get("settings.json") ?? "")["redis-instance-1"];
      assert.equal(settings.environment.REDIS_PASSWORD_FILE, "/secrets/supervisor");
      assert.match(
        settings.environment.REDIS_EXTRA_CONFIG,
        /^masterauth \[hidden\]\nslowlog-max-len 10\n# id-\w+$/,
      );
      assert.match(settings.image, /@sha256:9f86d081884c7d65/);
      const pods = files.get("objects/pods.json") ?? "";
      assert.match(pods, /"secretKeyRef": \{\s+"name": "their-secret",\s+"key": "password"/);
      assert.doesNotMatch(pods, /managedFields|last-applied|a value that isn't/);
      assert.doesNotMatch(files.get("objects/events.json") ?? "", /not ours/);
      assert.match(files.get("versions.json") ?? "", /"redis-instance-1": "8.2.9"/);
      assert.match(files.get("kubernetes.json") ?? "", /v1.34.0/);
    });
  });

  describe("of this machine's topology", () => {
    let collected: Surroundings;
    let secrets: string[];

    before(async () => {
      const dir = join(directory.path, "local");
      prepareDirectory(dir, { basePort: 26_400, configuration: {} }, false);
      const credentials = join(dir, "credentials");
      writeLocalSecrets(credentials, {
        users: [{ name: "default" }],
        generation: 1,
        allowedCommands: undefined,
        clientsAskSentinels: false,
      });
      mkdirSync(join(dir, "tls", "server"), { recursive: true });
      writeFileSync(join(dir, "tls", "server", "tls.key"), privateKey);
      writeFileSync(join(dir, "tls", "authorities.json"), JSON.stringify({ ca: { key: given } }));
      const seeds = Object.values(
        JSON.parse(readFileSync(join(credentials, "seeds.json"), "utf8")) as object,
      );
      const topology = LocalTopology.open(dir);
      assert.ok(topology);
      secrets = [...["default", "supervisor", "replica"].map((user) => topology.passwordOf(user)), ...seeds];
      mkdirSync(join(dir, "logs"));
      for (const name of topology.names)
        writeFileSync(
          join(dir, "logs", `${name}.log`),
          `nobody says what these are: ${secrets} ${everything}\n`,
        );
      collected = await collectReport(localTarget(topology), 100, () => undefined);
    });

    it("holds neither passwords nor keys, although nothing runs", async () => {
      const log = collected.documents.find(({ path }) => path === "logs/redis-instance-1.log");
      assert.ok(
        secrets.length >= 4 && secrets.every((secret) => textOf(log?.content ?? "").includes(secret)),
      );
      assert.deepEqual(await leaks(collected, directory.path), []);
      const left = hideSecrets(collected, new Date())
        .map(({ text }) => text)
        .join("\n");
      assert.deepEqual(
        secrets.filter((secret) => left.includes(secret)),
        [],
      );
      assert.ok(collected.missing.some(({ what }) => what === "answers of redis-instance-1"));
    });
  });

  it("is for this user alone, and replaces nothing", async () => {
    const file = join(directory.path, "own.tar.gz");
    await writeArchive(file, [{ path: "a/b.txt", text: "x" }]);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.throws(() => refuseOutput(file), /exists: name another one/);
    await assert.rejects(writeArchive(file, []), /can't be written \(EEXIST\)/);
    assert.deepEqual([...(await walkArchive(file))], [["a/b.txt", "x"]]);
    assert.throws(() => refuseOutput(join(directory.path, "x.zip")), /ends in \.tar\.gz/);
    assert.throws(() => refuseOutput(join(directory.path, "away", "x.tar.gz")), /no directory/);
    assert.ok(!existsSync(join(directory.path, "away")));
  });
});
