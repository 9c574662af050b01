import assert from "node:assert/strict";
import { deploy } from "../support/deploy.ts";
import { type PodSpec, podsOf } from "../support/pod-specs.ts";

const prebuilt = { "images:sentinel": "example/sentinel:1", "images:proxy": "example/proxy:1" };
const bucket = {
  ...prebuilt,
  "backup:destination": "s3://backups/redis",
  "backup:endpoint": "https://minio.storage.svc:9000",
  "backup:credentialsSecret": "redis-backup",
  "backup:encryptionKey": '{"name":"redis-backup-key"}',
  "backup:nameServer": "10.96.0.10",
  "backup:restoreFrom": "latest",
};

function secretsOf(pod: PodSpec | undefined): string[] {
  const sources = pod?.volumes.find(({ name }) => name === "credentials")?.projected?.sources ?? [];
  return sources
    .filter(({ secret }) => secret.items[0]?.path.startsWith("backup/"))
    .map(
      ({ secret }) => `${secret.name}/${secret.items[0]?.key} as ${secret.items[0]?.path} ${secret.optional}`,
    );
}

describe("a stack with backups", function () {
  this.timeout(60_000);

  it("mounts its Secrets into Redis pods alone, as files, and starts without them", async () => {
    const pods = await podsOf(bucket);
    assert.deepEqual(secretsOf(pods.get("redis-instance-1")), [
      "redis-backup/access-key-id as backup/access-key-id true",
      "redis-backup/secret-access-key as backup/secret-access-key true",
      "redis-backup/ca.crt as backup/ca.crt true",
      "redis-backup-key/encryption-key as backup/encryption-key true",
    ]);
    for (const name of ["redis-sentinel-1", "redis-sentinel-proxy"]) {
      assert.ok(pods.has(name));
      assert.deepEqual(secretsOf(pods.get(name)), []);
      assert.ok(!JSON.stringify(pods.get(name)).includes("BACKUP_"));
    }
    const env = new Map(
      pods.get("redis-instance-1")?.containers[0]?.env.map(({ name, value }) => [name, value]),
    );
    assert.equal(env.get("BACKUP_DESTINATION"), "s3://backups/redis");
    assert.equal(env.get("BACKUP_ENCRYPTED"), "yes");
    assert.equal(env.get("BACKUP_SCHEDULE"), "0 3 * * *");
    assert.equal(env.get("BACKUP_BYTES_PER_SECOND"), String(64 * 2 ** 20));
    assert.equal(env.get("BACKUP_RESTORE_FROM"), "latest");
  });

  it("opens the network of Redis to the store's port and the name server, and nothing else", async () => {
    const egress = async (config: Record<string, string>, kind: string): Promise<unknown[]> => {
      const { resources } = await deploy(config);
      const policy = resources.find(({ type, name }) => type.endsWith(":NetworkPolicy") && name === kind);
      assert.ok(policy);
      return (policy.inputs.spec as { egress: unknown[] }).egress;
    };
    const before = (await egress(prebuilt, "redis")).length;
    const store = { ports: [{ protocol: "TCP", port: 9000 }] };
    const [opened, names, ...more] = (await egress(bucket, "redis")).slice(before);
    assert.deepEqual(opened, store);
    assert.match(JSON.stringify(names), /"port":53,"protocol":"UDP".*"10\.96\.0\.10\/32"/);
    assert.deepEqual(more, []);
    assert.deepEqual(await egress(bucket, "sentinel"), await egress(prebuilt, "sentinel"));
    const narrow = await egress({ ...bucket, "backup:cidrs": "10.1.2.0/24" }, "redis");
    assert.deepEqual(narrow[before], { ...store, to: [{ ipBlock: { cidr: "10.1.2.0/24" } }] });
  });

  it("mounts a claim for backups, and needs no network for it", async () => {
    const pods = await podsOf({ ...prebuilt, "backup:destination": "pvc://backups/redis" });
    const pod = pods.get("redis-instance-2");
    assert.deepEqual(
      pod?.volumes.find(({ name }) => name === "backups")?.persistentVolumeClaim?.claimName,
      "backups",
    );
    assert.ok(pod?.containers[0]?.volumeMounts.some(({ mountPath }) => mountPath === "/backups"));
    const env = pod?.containers[0]?.env.find(({ name }) => name === "BACKUP_DESTINATION");
    assert.equal(env?.value, "file:///backups/redis");
  });

  it("is refused at preview with all that is wrong", async () => {
    const refused = async (config: Record<string, string | undefined>, expected: RegExp): Promise<void> => {
      const given = Object.entries({ ...bucket, ...config }).filter(([, value]) => value !== undefined);
      await assert.rejects(deploy(Object.fromEntries(given) as Record<string, string>), expected);
    };
    await refused({ "backup:destination": "ftp://x" }, /'backup:destination'.*s3:\/\/bucket\/prefix/s);
    await refused(
      { "backup:destination": undefined },
      /'backup:endpoint' is set, but not 'backup:destination'/,
    );
    await refused({ "backup:credentialsSecret": undefined }, /no 'backup:credentialsSecret'/);
    await refused({ "backup:nameServer": undefined }, /minio\.storage\.svc.*set backup:nameServer/);
    await refused(
      { "backup:schedule": "61 3 * * *" },
      /'backup:schedule' is '61 3 \* \* \*', which no time fits/,
    );
    await refused({ "backup:schedule": "daily" }, /'backup:schedule'/);
    await refused({ "backup:destination": "pvc://claim" }, /'backup:endpoint' belongs to a bucket/);
    await refused({ "backup:encryptionKey": '{"nam":"x"}' }, /'backup:encryptionKey'/);
  });
});
