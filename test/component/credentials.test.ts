import assert from "node:assert/strict";
import { hashPassword } from "../../runtime/access/acl-user.ts";
import { partUsers } from "../../runtime/access/parts.ts";
import { derivePassword } from "../../runtime/access/passwords.ts";
import { type Deployment, deploy, mockPassword, type Registration } from "../support/deploy.ts";

const prebuilt = { "images:sentinel": "example/sentinel:1", "images:proxy": "example/proxy:1" };
const twoUsers = {
  "redis:users": JSON.stringify([{ name: "web" }, { name: "jobs", rules: "~jobs:* +@all" }]),
};

interface PodTemplate {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: {
    readonly volumes: {
      readonly name: string;
      readonly projected?: {
        readonly sources: {
          readonly secret: { readonly name: string; readonly items: { readonly path: string }[] };
        }[];
      };
    }[];
  };
}

function templates({ resources }: Deployment): Map<string, PodTemplate> {
  return new Map(
    resources
      .filter(({ type }) => type.endsWith(":Deployment"))
      .map(({ name, inputs }) => [name, (inputs.spec as { template: PodTemplate }).template]),
  );
}

/** The secret files that a pod mounts. */
function mounted(template: PodTemplate | undefined): string[] {
  const volume = template?.spec.volumes.find(({ name }) => name === "credentials");
  return (volume?.projected?.sources ?? [])
    .flatMap(({ secret }) => secret.items.map(({ path }) => path))
    .sort();
}

function secrets({ resources }: Deployment): Registration[] {
  return resources.filter(({ type }) => type === "kubernetes:core/v1:Secret");
}

/** The values of a Secret; the provider gets them in an envelope that marks them as secret. */
function textsOf({ inputs }: Registration): string[] {
  const data = inputs.stringData as Record<string, string> | { readonly value: Record<string, string> };
  const envelope = typeof data.value === "object";
  assert.ok(envelope, "a Secret's values are marked as secret, or they would be in plain state");
  return Object.values(data.value);
}

describe("the users of a stack", function () {
  this.timeout(30_000);
  let standard: Deployment;
  let configured: Deployment;

  before(async () => {
    standard = await deploy({ ...prebuilt });
    configured = await deploy({ ...prebuilt, ...twoUsers });
  });

  it("give each pod the secrets that it needs, and no other", () => {
    const pods = templates(standard);
    assert.deepEqual(mounted(pods.get("redis-instance-2")), [
      "probe",
      "redis.acl",
      "replica",
      "sentinel",
      "supervisor",
    ]);
    assert.deepEqual(mounted(pods.get("redis-sentinel-3")), ["probe", "sentinel", "sentinel.acl"]);
    assert.deepEqual(mounted(pods.get("proxy")), ["clients.acl", "proxy"]);
  });

  it("have each password in a Secret of its own, and nowhere else in plain text", () => {
    for (const deployment of [standard, configured]) {
      const applications = deployment === standard ? ["default"] : ["web", "jobs"];
      for (const user of [...partUsers, ...applications]) {
        const password = derivePassword(mockPassword, user);
        const places = deployment.resources.filter(({ inputs }) => JSON.stringify(inputs).includes(password));
        assert.equal(places.length, 1, user);
        assert.deepEqual(places.map(textsOf), [[password]], user);
      }
      const seeds = deployment.resources.filter(({ inputs }) =>
        JSON.stringify(inputs).includes(mockPassword),
      );
      assert.deepEqual(seeds, [], "the seed stays in Pulumi's state");
    }
  });

  it("are known to the servers by hashes", () => {
    const acl = secrets(standard).find(({ name }) => name === "acl-redis");
    assert.ok(acl);
    const [text = ""] = textsOf(acl);
    for (const user of [...partUsers, "default"]) {
      assert.match(
        text,
        new RegExp(`^user ${user} on #${hashPassword(derivePassword(mockPassword, user))} `, "m"),
      );
    }
  });

  it("are the configured ones: then `default` is off, and the first one is exported", () => {
    const acl = secrets(configured).find(({ name }) => name === "acl-redis");
    assert.ok(acl);
    const [text = ""] = textsOf(acl);
    assert.match(text, /^user default off /m);
    assert.match(text, /^user jobs on .* ~jobs:\* \+@all -acl .*-config /m);
    const users = configured.outputs.users as Record<string, { connectionString: string }>;
    assert.deepEqual(Object.keys(users), ["web", "jobs"]);
    const password = derivePassword(mockPassword, "web");
    assert.equal(configured.outputs.password, password);
    assert.equal(
      configured.outputs.connectionString,
      `redis://web:${password}@svc-redis-sentinel-proxy.redis-ha-test.svc:6379`,
    );
  });

  it("may do on Redis what the operator allows the proxy to pass on", async () => {
    const allowing = await deploy({ ...prebuilt, ...twoUsers, "proxy:allowCommands": "config|set" });
    const acl = secrets(allowing).find(({ name }) => name === "acl-redis");
    assert.ok(acl);
    const [text = ""] = textsOf(acl);
    assert.match(text, /^user web on .* \+config\|set$/m);
    assert.match(text, /^user jobs on .* \+@all -acl .*-config\|get /m);
    assert.doesNotMatch(text, /^user jobs .* -config(\|set)? /m);
  });

  it("are known to the real Sentinels only when clients talk to them", async () => {
    const direct = await deploy({ ...prebuilt, "proxy:sentinelApi": "false" });
    const usersOf = (deployment: Deployment): string => {
      const acl = secrets(deployment).find(({ name }) => name === "acl-sentinel");
      assert.ok(acl);
      return textsOf(acl).join("");
    };
    assert.match(usersOf(standard), /^user default off /m);
    assert.match(usersOf(direct), /^user default on /m);
    const changers = usersOf(direct).match(/^user \w+(?=.*\+sentinel\|(set|monitor|remove|reset)\b)/gm);
    assert.deepEqual(changers, ["user supervisor"]);
  });

  it("get new passwords without a restart of any Redis or proxy", async () => {
    const rotated = await deploy({ ...prebuilt, "redis:passwordGeneration": "2" });
    const [before, after] = [templates(standard), templates(rotated)];
    const restarted = [...after].filter(
      ([name, pod]) => JSON.stringify(pod) !== JSON.stringify(before.get(name)),
    );
    assert.deepEqual(restarted.map(([name]) => name).sort(), [
      "redis-sentinel-1",
      "redis-sentinel-2",
      "redis-sentinel-3",
    ]);
    assert.ok(
      secrets(rotated).every(({ inputs }) => inputs.immutable !== true),
      "the kubelet brings a change of a Secret into running pods unless it is immutable",
    );
  });
});
