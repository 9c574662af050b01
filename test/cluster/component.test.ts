import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { askThrough, writeThrough } from "../support/endpoint-client.ts";
import { eventually } from "../support/eventually.ts";
import { formerState } from "../support/former-state.ts";
import { kubectl } from "../support/kubectl.ts";
import { TestStack } from "../support/test-stack.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));
const namespace = "redis-ha-former";
const shared = "redis-ha-component";

/** One step of a preview, as `pulumi preview --json` has it. */
interface Step {
  readonly op: string;
  readonly urn: string;
}

describe("the component on a real cluster", function () {
  this.timeout(300_000);
  this.bail(true);
  /** Of the images that the program has built. */
  let images: string;
  /** Holds the program in TypeScript, with the package and all that it needs in node_modules. */
  const directory = mkdtempSync(join(tmpdir(), "redis-ha-package-"));
  const folder = join(directory, "program");

  before(async () => {
    for (const name of [namespace, shared])
      await kubectl(["delete", "namespace", name, "--ignore-not-found", "--timeout=170s"]);
  });

  after(() => rmSync(directory, { recursive: true, force: true }));

  it("takes over what the program made before there was a component, and replaces nothing", async () => {
    const stack = await TestStack.create("former", {
      "redis:storage": "64Mi",
      "redis-ha:keepVolumes": "false",
    });
    await stack.up();
    images = JSON.stringify({
      sentinel: await imageOf("redis-instance-1"),
      proxy: await imageOf("redis-sentinel-proxy"),
    });
    const state = formerState(await stack.run("stack export", "--show-secrets"));
    await stack.run("stack import", "--force", "--file", stack.file("former.json", state));

    const preview = JSON.parse(await stack.run("preview", "--json")) as {
      steps: Step[];
      changeSummary: unknown;
    };
    const changes = preview.steps
      .filter(({ op }) => op !== "same")
      .map(({ op, urn }) => `${op} ${urn.split("::").slice(2).join(" ")}`);
    assert.deepEqual(changes, ["create redis-ha:index:RedisHa redis-ha"]);
    const { resources } = (JSON.parse(state) as { deployment: { resources: { urn: string }[] } }).deployment;
    // Providers that nobody declared are in the state, but no resources of the program.
    const declared = resources.filter(({ urn }) => !urn.includes("::default"));
    assert.deepEqual(preview.changeSummary, { create: 1, same: declared.length });
    await stack.destroy();
    stack.remove();
  });

  it("is installed from its package into an empty folder, deployed by 8 lines, and a second one beside it", async () => {
    mkdirSync(folder);
    const { stdout: tarball } = await execa("node", ["workshop/scripts/package.ts", directory], {
      cwd: project,
    });
    const files = {
      "Pulumi.yaml":
        "name: program\nmain: index.ts\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n",
      "package.json": JSON.stringify({ private: true, type: "module" }),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    await execa("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", tarball], { cwd: folder });

    const common = `context: ${JSON.stringify(process.env.TEST_CONTEXT)}, namespace: ${JSON.stringify(shared)}, images: ${images}`;
    const one = `import { RedisHa } from "redis-ha";
export const { proxyHost, password } = new RedisHa("cache", {
  ${common},
  redis: { storage: "64Mi" },
  proxy: { replicas: 1 },
  keepVolumes: false,
});
`;
    assert.ok(one.trim().split("\n").length <= 10);
    writeFileSync(join(folder, "index.ts"), one);
    const stack = await TestStack.ofProgram(
      "package",
      folder,
      mkdtempSync(join(tmpdir(), "redis-ha-stack-")),
    );
    await stack.up();
    const { password } = (await stack.outputs()) as { password: string };
    const host = await clusterIp("svc-redis-sentinel-proxy");
    await writeThrough(6379, password, "of", "cache", host);

    // The first one's Pods stay as they are.
    const before = await podNames("app.kubernetes.io/name=redis-ha");
    const two = `const jobs = new RedisHa("jobs", {
  ${common},
  namePrefix: "jobs", createNamespace: false, redis: { storage: "64Mi" }, proxy: { replicas: 1 }, keepVolumes: false,
});
export const jobsPassword = jobs.password;
`;
    writeFileSync(join(folder, "index.ts"), one + two);
    await stack.up();
    assert.deepEqual(await podNames("app.kubernetes.io/name=redis-ha"), before);
    const { jobsPassword } = (await stack.outputs()) as { jobsPassword: string };
    const jobsHost = await clusterIp("jobs-svc-redis-sentinel-proxy");
    await writeThrough(6379, jobsPassword, "of", "jobs", jobsHost);
    assert.equal(await ask(password, host), "cache");
    assert.equal(await ask(jobsPassword, jobsHost), "jobs");
    assert.match(await ask(password, jobsHost), /WRONGPASS|NOAUTH/);
    await stack.destroy();
    stack.remove();
  });

  it("is used from Pulumi YAML in 10 lines, whose mistakes the schema finds first", async () => {
    const place = mkdtempSync(join(tmpdir(), "redis-ha-yaml-"));
    const program = join(place, "program");
    mkdirSync(program);
    const yaml = (redis: string): string => `name: program
runtime: yaml
packages: { redis-ha: ${join(folder, "node_modules", "redis-ha")} }
resources:
  cache:
    type: redis-ha:RedisHa
    properties: { context: ${process.env.TEST_CONTEXT}, namespace: ${shared}, keepVolumes: false, redis: ${redis},
      namePrefix: yaml, createNamespace: false, proxy: { replicas: 1 }, images: ${images} }
outputs: { password: "\${cache.password}", endpoint: "\${cache.proxyEndpoint}" }
`;
    assert.ok(yaml("").trim().split("\n").length <= 10);
    const write = (redis: string): void => writeFileSync(join(program, "Pulumi.yaml"), yaml(redis));
    write("{ memroy: 1Gi }");
    const stack = await TestStack.ofProgram("yaml", program, place);
    await assert.rejects(stack.run("preview"), /Property memroy does not exist on 'redis-ha:index:Redis'/);
    write("{ instances: 10 }");
    await assert.rejects(
      stack.run("preview"),
      /Argument 'redis\.instances' is '10': use a whole number from 1 to 9\./,
    );

    write("{ storage: 64Mi }");
    await stack.up();
    const { endpoint, password } = (await stack.outputs()) as { endpoint: string; password: string };
    assert.equal(endpoint, `yaml-svc-redis-sentinel-proxy.${shared}.svc:6379`);
    const host = await clusterIp("yaml-svc-redis-sentinel-proxy");
    // One proxy, ready a moment ago: the nodes may not know of it yet.
    await eventually(() => writeThrough(6379, password, "of", "yaml", host), { withinMs: 10_000 });
    assert.equal(await ask(password, host), "yaml");
    await stack.destroy();
    stack.remove();
  });

  async function ask(password: string, host: string): Promise<string> {
    const login = { username: "default", password };
    const { "GET of": answer } = await askThrough(6379, login, [["GET", "of"]], host);
    return answer ?? "";
  }

  async function imageOf(deployment: string): Promise<string> {
    const path = "jsonpath={.spec.template.spec.containers[0].image}";
    return kubectl(["--namespace", namespace, "get", "deployment", deployment, "--output", path]);
  }

  async function clusterIp(service: string): Promise<string> {
    const path = "jsonpath={.spec.clusterIP}";
    return kubectl(["--namespace", shared, "get", "service", service, "--output", path]);
  }

  async function podNames(selector: string): Promise<string[]> {
    const names = await kubectl([
      "--namespace",
      shared,
      "get",
      "pod",
      "--selector",
      selector,
      "--output",
      "name",
    ]);
    return names.split("\n").toSorted();
  }
});
