import assert from "node:assert/strict";
import fc from "fast-check";
import { plainObjects } from "../../../../components/promises/plain-objects.ts";
import { problemsOfObjects } from "../../../../components/promises/problems-of-objects.ts";
import { resolveSettings, type Settings } from "../../../../settings/resolve-settings.ts";

type Json = Record<string, unknown>;
type Part = "redis" | "sentinel" | "proxy";
const parts: readonly Part[] = ["redis", "sentinel", "proxy"];
const runs = Number(process.env.PATCH_RUNS ?? 150);
const digest = `registry.example.com/agent@sha256:${"a".repeat(64)}`;

const plain = resolveSettings({ "images:sentinel": "a/b:1", "images:proxy": "a/c:1" }, "test");

function patched(part: Part, ...patches: readonly Json[]): Settings {
  const merged = patches.reduce((all, patch) => compose(all, patch) as Json, {} as Json);
  return { ...plain, [part]: { ...plain[part], patches: merged } };
}

function problemsOf(part: Part, ...patches: readonly Json[]): string {
  return problemsOfObjects(patched(part, ...patches)).join("\n");
}

/** Both patches as one: what removes stays in it. */
function compose(one: unknown, other: unknown): unknown {
  const isObject = (value: unknown): value is Json =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (Array.isArray(one) && Array.isArray(other)) {
    const name = (item: unknown): unknown => (isObject(item) ? item.name : undefined);
    const both = one.map((item) =>
      compose(item, other.find((more) => name(item) !== undefined && name(more) === name(item)) ?? item),
    );
    return [
      ...both,
      ...other.filter((item) => name(item) === undefined || !one.some((first) => name(first) === name(item))),
    ];
  }
  if (!isObject(one) || !isObject(other)) return other;
  return {
    ...one,
    ...Object.fromEntries(
      Object.entries(other).map(([key, value]) => [key, key in one ? compose(one[key], value) : value]),
    ),
  };
}

const pod = (spec: Json, metadata?: Json): Json => ({
  deployment: { spec: { template: { ...(metadata === undefined ? {} : { metadata }), spec } } },
});
const own = (part: Part, container: Json): Json => pod({ containers: [{ name: part, ...container }] });
const agent = {
  name: "agent",
  image: digest,
  resources: { requests: { cpu: "1m", memory: "8Mi" }, limits: { memory: "8Mi" } },
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  },
};

/** Patches that break nothing. */
const harmless = fc.oneof(
  fc
    .record({ schedulerName: fc.stringMatching(/^[a-z]{1,9}$/), runtimeClassName: fc.constant("gvisor") })
    .map((spec) => pod(spec)),
  fc
    .stringMatching(/^[a-z]{1,9}$/)
    .map((name) => pod({}, { annotations: { [`example.com/${name}`]: "x" }, labels: { [name]: "y" } })),
  fc.constant(pod({ containers: [agent] })),
  fc.constant(pod({ initContainers: [{ ...agent, name: "first" }] })),
  fc
    .integer({ min: 1, max: 50 })
    .map((revisionHistoryLimit) => ({ deployment: { spec: { revisionHistoryLimit } } })),
  fc
    .integer({ min: 65, max: 999 })
    .map((terminationGracePeriodSeconds) => pod({ terminationGracePeriodSeconds })),
  fc.constant(pod({ volumes: [{ name: "scratch", emptyDir: {} }] })),
);

/** For each invariant: patches that break it, and a word of the reason. */
const breakers: Readonly<Record<string, (part: Part) => readonly [fc.Arbitrary<Json>, RegExp]>> = {
  "pods of one volume, or their number": () => [
    fc
      .integer({ min: 0, max: 9 })
      .filter((n) => n !== 1 && n !== 2)
      .map((replicas) => ({ deployment: { spec: { replicas } } })),
    /replicas is settled/,
  ],
  "no CPU limit of Redis and Sentinels": (part) => [
    fc
      .integer({ min: 1, max: 64 })
      .map((n) => own(part === "proxy" ? "redis" : part, { resources: { limits: { cpu: `${n}` } } })),
    /must not limit its CPU|must request/,
  ],
  "liveness that knows no roles": (part) => [
    fc
      .constantFrom<Json>(
        { httpGet: { path: "/readyz", port: 8080 }, exec: null },
        { exec: { command: ["redis-cli", "role"] }, httpGet: null },
        { exec: { command: ["/opt/redis-ha/probe.sh", "ready"] }, httpGet: null },
        { tcpSocket: { port: 6379 }, httpGet: null, exec: null },
        { periodSeconds: 1, failureThreshold: 1 },
      )
      .map((livenessProbe) => own(part, { livenessProbe })),
    /livenessProbe of/,
  ],
  "images by digest": () => [
    fc
      .constantFrom("agent", "agent:1", "agent:latest", "agent@sha256:short")
      .map((image) => pod({ containers: [{ ...agent, name: "other", image }] })),
    /name it by digest/,
  ],
  "the part's own program": (part) => [
    fc
      .constantFrom<Json>(
        { image: digest },
        { command: ["sh"] },
        { args: ["-c"] },
        { env: [{ name: "BIND_ADDR", value: "x" }] },
        { env: null },
      )
      .map((change) => own(part, change)),
    /is settled/,
  ],
  "no node's network": () => [
    fc
      .constantFrom<Json>({ hostNetwork: true }, { hostPID: true }, { hostIPC: true })
      .map((spec) => pod(spec)),
    /must not be true/,
  ],
  "one writer of a claim": (part) => [
    fc.constantFrom("a", "b").map((name) =>
      part === "proxy"
        ? pod({
            volumes: [{ name: "stolen", persistentVolumeClaim: { claimName: "pvc-redis-instance-1" } }],
            containers: [{ ...agent, name, volumeMounts: [{ name: "stolen", mountPath: "/s" }] }],
          })
        : pod({ containers: [{ ...agent, name, volumeMounts: [{ name: "state", mountPath: "/s" }] }] }),
    ),
    /second writer of the claim/,
  ],
  "passwords for the part alone": () => [
    fc.constant(
      pod({
        containers: [{ ...agent, name: "spy", volumeMounts: [{ name: "credentials", mountPath: "/c" }] }],
      }),
    ),
    /for '\w+' alone/,
  ],
  "no secret in the environment": () => [
    fc
      .constantFrom<Json>(
        { name: "API_TOKEN", value: "x" },
        { name: "X", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
      )
      .map((variable) => pod({ containers: [{ ...agent, name: "leak", env: [variable] }] })),
    /mount it as a file/,
  ],
  "a restricted pod": (part) => [
    fc.constantFrom<Json>(
      pod({ securityContext: { runAsUser: 0 } }),
      pod({ securityContext: null }),
      pod({ automountServiceAccountToken: true }),
      own(part, { securityContext: { privileged: true } }),
      own(part, { securityContext: { readOnlyRootFilesystem: false } }),
      pod({ volumes: [{ name: "root", hostPath: { path: "/" } }] }),
    ),
    /must|isn't allowed/,
  ],
  "Recreate, or the identity": (part) => [
    fc.constantFrom<Json>(
      part === "proxy"
        ? { deployment: { spec: { selector: { matchLabels: { a: "b" } } } } }
        : { deployment: { spec: { strategy: { type: "RollingUpdate" } } } },
      { deployment: { metadata: { name: "other" } } },
      { deployment: { metadata: { namespace: "other" } } },
      pod({}, { labels: { "app.kubernetes.io/name": "other" } }),
      pod({}, { labels: { "redis-ha/workload": null } }),
    ),
    /is settled|must be Recreate/,
  ],
  "names without lookups": () => [
    fc
      .constantFrom<Json>(
        { dnsPolicy: "ClusterFirst" },
        { dnsConfig: null },
        { hostAliases: [{ ip: "1.2.3.4", hostnames: ["x"] }] },
      )
      .map((spec) => pod(spec)),
    /no lookup may leave a pod/,
  ],
  "time to hand over": () => [
    fc
      .integer({ min: 0, max: 59 })
      .map((terminationGracePeriodSeconds) => pod({ terminationGracePeriodSeconds })),
    /terminationGracePeriodSeconds must be/,
  ],
};

describe("patches", function () {
  this.timeout(120_000);

  it("that break nothing are taken, in any number", () => {
    fc.assert(
      fc.property(fc.constantFrom(...parts), fc.array(harmless, { maxLength: 5 }), (part, patches) => {
        assert.equal(problemsOf(part, ...patches), "");
      }),
      { numRuns: runs },
    );
  });

  for (const [invariant, of] of Object.entries(breakers)) {
    it(`are refused among harmless ones: ${invariant}`, () => {
      const broken = fc
        .constantFrom(...parts)
        .filter((part) => part !== "proxy" || !/CPU limit/.test(invariant))
        .chain((part) => of(part)[0].map((patch) => ({ part, patch })));
      fc.assert(
        fc.property(broken, fc.array(harmless, { maxLength: 4 }), ({ part, patch }, before) => {
          assert.match(problemsOf(part, ...before, patch), of(part)[1]);
        }),
        { numRuns: Math.ceil(runs / 5) },
      );
    });
  }

  it("of any content are refused, or leave every promise kept", () => {
    const value = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        true,
        false,
        0,
        1,
        2,
        "",
        "x",
        [],
        {},
        ["x"],
        [null],
        [{}],
        "RollingUpdate",
        "Always",
        "1",
      ),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const path = fc.constantFrom(
      ...[
        "spec",
        "spec.replicas",
        "spec.strategy",
        "spec.strategy.type",
        "spec.template",
        "spec.template.metadata",
        "spec.template.metadata.labels",
        "spec.template.spec",
        "spec.template.spec.hostNetwork",
        "spec.template.spec.containers",
        "spec.template.spec.initContainers",
        "spec.template.spec.volumes",
        "spec.template.spec.securityContext",
        "spec.template.spec.dnsPolicy",
        "spec.template.spec.terminationGracePeriodSeconds",
        "spec.selector",
        "metadata",
        "metadata.labels",
        "spec.template.spec.containers.0.image",
        "spec.template.spec.containers.0.resources",
        "spec.template.spec.containers.0.resources.limits.cpu",
        "spec.template.spec.containers.0.livenessProbe",
        "spec.template.spec.containers.0.securityContext",
        "spec.template.spec.containers.0.env",
        "spec.template.spec.containers.0.volumeMounts",
        "spec.template.spec.containers.0.command",
      ],
    );
    let taken = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...parts),
        fc.array(fc.tuple(path, value), { minLength: 1, maxLength: 3 }),
        (part, changes) => {
          const patches = changes.map(([at, to]) => ({
            deployment: nested(part, at.split("."), to) as Json,
          }));
          const settings = patched(part, ...patches);
          if (problemsOfObjects(settings).length > 0) return;
          taken++;
          for (const { props } of plainObjects(settings).deployments) assertKept(props);
        },
      ),
      { numRuns: runs * 4 },
    );
    assert.ok(taken > runs / 10, `${taken} were taken`);
  });
});

/** A patch that sets one place; a number stands for the part's own container. */
function nested(part: Part, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  if (key === "0") return [{ name: part, ...(nested(part, rest, value) as Json) }];
  return { [key]: nested(part, rest, value) };
}

/** The promises, written from what they say and not from the rules that keep them. */
function assertKept(deployment: Json): void {
  const { spec, metadata } = deployment as unknown as {
    metadata: { name: string; labels: Record<string, string> };
    spec: {
      replicas: number;
      strategy: { type: string };
      selector: { matchLabels: Record<string, string> };
      template: {
        metadata: { labels: Record<string, string> };
        spec: Json & { containers: Json[]; volumes: Json[] };
      };
    };
  };
  const part = metadata.labels["app.kubernetes.io/component"] as Part;
  const { template } = spec;
  assert.ok(parts.includes(part));
  if (part !== "proxy") assert.deepEqual([spec.replicas, spec.strategy.type], [1, "Recreate"]);
  for (const [key, value] of Object.entries(spec.selector.matchLabels))
    assert.equal(template.metadata.labels[key], value);
  assert.ok(!template.spec.hostNetwork);
  assert.equal(template.spec.dnsPolicy, "None");
  const container = template.spec.containers.find(({ name }) => name === part);
  assert.ok(container);
  assert.match(String(container.image), /@sha256:0{64}$/);
  assert.equal((container.command as string[])[0], "node");
  const { limits, requests } = container.resources as { limits: Json; requests: Json };
  assert.ok(limits.memory !== undefined && requests.cpu !== undefined && requests.memory !== undefined);
  if (part !== "proxy") assert.equal(limits.cpu, undefined);
  const { runAsNonRoot } = template.spec.securityContext as Json;
  assert.equal(runAsNonRoot, true);
  assert.equal((container.securityContext as Json).readOnlyRootFilesystem, true);
  assert.ok((container.env as Json[]).some(({ name }) => name === "BIND_ADDR"));
  for (const { image } of template.spec.containers) assert.match(String(image), /@sha256:[0-9a-f]{64}$/);
}
