import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { Redis } from "ioredis";
import type { MoveReport } from "../../cli/operate/move/plan-move.ts";
import { builtImage } from "../support/built-image.ts";
import { eventually } from "../support/eventually.ts";
import { kubectl } from "../support/kubectl.ts";
import { compareLists, ListWriters } from "../support/list-writers.ts";
import { TestStack } from "../support/test-stack.ts";

const namespace = "redis-ha-move";
const old = "redis-ha-move-old";
const password = "of-the-old-one";
const program = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** A Redis of somebody else in a namespace of its own, whose applications and data move into a stack. */
describe("moving in on a real cluster", function () {
  this.timeout(600_000);
  this.bail(true);
  let stack: TestStack;
  let source: string;
  let endpoint: string;

  before(async () => {
    await kubectl(["delete", "namespace", namespace, old, "--ignore-not-found", "--timeout=170s"]);
    const image = await builtImage("sentinel");
    await kubectl(
      ["apply", "--filename", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items: objects(image) }),
    );
    source = `${await addressOf(old, "redis-master")}:6379`;
    await kubectl(["--namespace", old, "wait", "pod/redis-master", "--for=condition=Ready", "--timeout=60s"]);
    stack = await TestStack.create("move", {
      "move:source": source,
      "move:passwordSecret": '{"name":"old-redis"}',
      "redis:users": '[{"name":"default","existingSecret":{"name":"old-redis"}}]',
      "redis:storage": "64Mi",
      "redis-ha:namespace": namespace,
      "redis-ha:createNamespace": "false",
      "redis-ha:keepVolumes": "false",
    });
    await stack.up();
    endpoint = await addressOf(namespace, "svc-redis-sentinel-proxy");
  });

  after(async () => {
    await stack?.destroy();
    stack?.remove();
    await kubectl(["delete", "namespace", namespace, old, "--ignore-not-found", "--timeout=170s"]);
  });

  function redisHa(...args: string[]) {
    const where = ["--namespace", namespace, "--context", process.env.TEST_CONTEXT ?? ""];
    return execa(process.execPath, [program, ...args, ...where], { reject: false });
  }

  function connect(host: string): Redis {
    const once = { maxRetriesPerRequest: 0, retryStrategy: () => null, enableReadyCheck: false };
    return new Redis({ host, port: 6379, password, ...once });
  }

  it("copies it on all instances, and sends clients of the proxy there", async () => {
    const report = await eventually(
      async () => {
        const { stdout, stderr, exitCode } = await redisHa("move", "status", "--json");
        assert.equal(exitCode, 0, stderr + stdout);
        return JSON.parse(stdout) as MoveReport;
      },
      { withinMs: 30_000 },
    );
    assert.deepEqual([report.source, report.state, report.instances.length], [source, "following", 3]);
    const { exitCode, stdout } = await redisHa("doctor");
    assert.equal(exitCode, 0, stdout);
    const client = connect(endpoint);
    const direct = connect(source.split(":")[0] ?? "");
    assert.equal(await client.set("by", "the proxy"), "OK");
    assert.equal(await direct.get("by"), "the proxy");
    client.disconnect();
    direct.disconnect();
  });

  it("is cut over under load: no error, nothing lost or twice", async () => {
    const writers = new ListWriters(4, () => connect(endpoint));
    await eventually(() => assert.ok(writers.count > 200), { withinMs: 20_000 });
    const cut = await redisHa("move", "cut-over", "--yes", "--json");
    assert.equal(cut.exitCode, 0, cut.stderr);
    const { pausedMs } = JSON.parse(cut.stdout) as { pausedMs: number };
    assert.ok(pausedMs < 1000, `${pausedMs} ms`);
    const direct = connect(source.split(":")[0] ?? "");
    await assert.rejects(direct.set("by", "a split brain"), /READONLY|NOREPLICAS/);
    direct.disconnect();
    const then = writers.count;
    await eventually(() => assert.ok(writers.count > then + 200), { withinMs: 20_000 });
    const written = await writers.end();
    assert.deepEqual([written.errors, written.disconnects], [[], 0]);
    const client = connect(endpoint);
    assert.deepEqual(await compareLists(client, written), []);
    client.disconnect();
    process.stdout.write(
      `      paused ${pausedMs} ms, longest without an answer ${Math.round(written.longestMs)} ms, ${writers.count} writes\n`,
    );
  });

  it("forgets the old one, and is an ordinary stack with its data", async () => {
    await stack.run("config rm move:source");
    await stack.run("config rm move:passwordSecret");
    await stack.up();
    const client = connect(endpoint);
    assert.equal(await client.get("by"), "the proxy");
    client.disconnect();
    const { exitCode, stdout, stderr } = await redisHa("status");
    assert.equal(exitCode, 0, stdout + stderr);
  });
});

async function addressOf(of: string, service: string): Promise<string> {
  return kubectl(["--namespace", of, "get", "service", service, "--output", "jsonpath={.spec.clusterIP}"]);
}

function objects(image: string): object[] {
  const secret = (of: string) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "old-redis", namespace: of },
    stringData: { password },
  });
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: old } },
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    secret(old),
    secret(namespace),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "redis-master", namespace: old },
      spec: { selector: { app: "old-redis" }, ports: [{ port: 6379 }] },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "redis-master", namespace: old, labels: { app: "old-redis" } },
      spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 0,
        securityContext: { runAsUser: 1000, runAsNonRoot: true, fsGroup: 1000 },
        containers: [
          {
            name: "redis",
            image,
            command: [
              "sh",
              "-ec",
              'printf "requirepass %s\\nsave \\"\\"\\ndir /tmp\\n" "$(cat /credentials/password)" > /tmp/redis.conf; exec redis-server /tmp/redis.conf --protected-mode no',
            ],
            readinessProbe: { tcpSocket: { port: 6379 }, periodSeconds: 1 },
            volumeMounts: [{ name: "credentials", mountPath: "/credentials", readOnly: true }],
          },
        ],
        volumes: [{ name: "credentials", secret: { secretName: "old-redis", defaultMode: 0o440 } }],
      },
    },
  ];
}
