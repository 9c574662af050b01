import assert from "node:assert/strict";
import { resourceRules, stackRules } from "../../../policy/all-rules.ts";
import type { StackResource } from "../../../policy/rule.ts";

type Json = Record<string, unknown>;
const password = "correct-horse-battery";
const labels = { "app.kubernetes.io/name": "redis-ha", "app.kubernetes.io/component": "redis" };

const goodContainer: Json = {
  name: "redis",
  image: `registry.example.com/redis@sha256:${"a".repeat(64)}`,
  command: ["node", "/opt/redis-ha/redis.js"],
  env: [
    { name: "REDIS_PASSWORD_FILE", value: "/etc/redis-ha/credentials/password" },
    { name: "SENTINEL", value: "redis://svc-redis-instance-1:6379" },
  ],
  resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "64Mi" } },
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  },
};
const goodPod: Json = {
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
  containers: [goodContainer],
  volumes: [{ name: "state", persistentVolumeClaim: { claimName: "x" } }],
};

function object(type: string, props: Json): StackResource {
  return { type: `kubernetes:${type}`, name: "it", props };
}
function deployment(pod: Json = {}, spec: Json = {}, metadata: Json = {}): StackResource {
  const template = { metadata: { labels, ...metadata }, spec: { ...goodPod, ...pod } };
  return object("apps/v1:Deployment", {
    metadata: { name: "it", namespace: "db" },
    spec: { replicas: 1, strategy: { type: "Recreate" }, template, ...spec },
  });
}
function container(change: Json): StackResource {
  return deployment({ containers: [{ ...goodContainer, ...change }] });
}
function service(spec: Json, component = "redis"): StackResource {
  const metadata = { labels: { ...labels, "app.kubernetes.io/component": component } };
  return object("core/v1:Service", { metadata, spec });
}
function namespaceWith(...modes: string[]): StackResource {
  const of = Object.fromEntries(modes.map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]));
  return object("core/v1:Namespace", { metadata: { labels: of } });
}
function configMap(data: Json): StackResource {
  return object("core/v1:ConfigMap", { metadata: { name: "it" }, data });
}
function secured(change: Json): StackResource {
  return container({ securityContext: { ...(goodContainer.securityContext as Json), ...change } });
}

/** For each rule: resources that it accepts, and resources that it refuses with a word of what it says. */
const resourceCases: Record<string, { good: StackResource[]; bad: [StackResource, RegExp][] }> = {
  "restricted-pods": {
    good: [deployment(), service({}), object("core/v1:Pod", { spec: goodPod })],
    bad: [
      [deployment({ hostNetwork: true }), /hostNetwork/],
      [deployment({ hostPID: true }), /hostPID/],
      [deployment({ hostNetwork: "true" }), /hostNetwork/],
      [deployment({ automountServiceAccountToken: undefined }), /automountServiceAccountToken/],
      [deployment({ enableServiceLinks: undefined }), /enableServiceLinks/],
      [deployment({ volumes: [{ name: "root", hostPath: { path: "/" } }] }), /hostPath/],
      [deployment({ securityContext: { runAsNonRoot: true } }), /seccompProfile/],
      [deployment({ securityContext: { seccompProfile: { type: "Localhost" } } }), /runAsNonRoot/],
      [deployment({ initContainers: [{ name: "init" }] }), /'init': allowPrivilegeEscalation/],
      [secured({ runAsNonRoot: false }), /runAsNonRoot/],
      [secured({ runAsUser: 0 }), /runAsUser/],
      [secured({ privileged: true }), /privileged/],
      [secured({ allowPrivilegeEscalation: undefined }), /allowPrivilegeEscalation/],
      [secured({ readOnlyRootFilesystem: false }), /readOnlyRootFilesystem/],
      [secured({ capabilities: { drop: ["NET_RAW"] } }), /drop ALL/],
      [secured({ capabilities: { drop: ["ALL"], add: ["SYS_ADMIN"] } }), /add none/],
      [container({ ports: [{ containerPort: 6379, hostPort: 6379 }] }), /hostPort/],
      [object("core/v1:Pod", { spec: { containers: [goodContainer] } }), /runAsNonRoot/],
      [object("batch/v1:CronJob", { spec: { jobTemplate: { spec: { template: {} } } } }), /automount/],
    ],
  },
  "resource-requests": {
    good: [
      deployment(),
      service({}),
      container({
        name: "agent",
        resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } },
      }),
    ],
    bad: [
      [container({ resources: undefined }), /request cpu/],
      [container({ resources: { requests: { cpu: "1" }, limits: { memory: "1Gi" } } }), /request memory/],
      [container({ resources: { requests: { cpu: "1", memory: "1Gi" } } }), /limit its memory/],
      [
        container({
          resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } },
        }),
        /not limit its CPU/,
      ],
    ],
  },
  "patient-liveness": {
    good: [
      deployment(),
      service({}),
      container({ livenessProbe: { httpGet: { path: "/livez", port: 8080 }, failureThreshold: 6 } }),
      container({ livenessProbe: { exec: { command: ["/opt/redis-ha/probe.sh"] } } }),
      container({ name: "agent", livenessProbe: { exec: { command: ["role"] }, periodSeconds: 1 } }),
    ],
    bad: [
      [container({ livenessProbe: { httpGet: { path: "/readyz" } } }), /livenessProbe of 'redis' must ask/],
      [container({ livenessProbe: { exec: { command: ["redis-cli", "role"] } } }), /must ask/],
      [
        container({ startupProbe: { exec: { command: ["/opt/redis-ha/probe.sh", "ready"] } } }),
        /startupProbe/,
      ],
      [container({ livenessProbe: { tcpSocket: { port: 6379 } } }), /must ask/],
      [container({ livenessProbe: { httpGet: { path: "/livez" }, periodSeconds: 1 } }), /must give 30 s/],
    ],
  },
  "pinned-images": {
    good: [deployment(), service({})],
    bad: [
      [container({ image: "redis" }), /runs 'redis'/],
      [container({ image: "redis:8.2.9" }), /by digest/],
      [container({ image: "redis@sha256:abc" }), /by digest/],
    ],
  },
  "secrets-as-files": {
    good: [
      deployment(),
      container({ env: [{ name: "PASSWORD", value: "" }] }),
      configMap({ "redis.conf": "maxmemory 1gb", endpoint: "redis://svc:6379" }),
      deployment({}, {}, { annotations: { "redis-ha/image-revision": "sha256:abc" } }),
    ],
    bad: [
      [container({ env: [{ name: "REDIS_PASSWORD", value: "x" }] }), /REDIS_PASSWORD looks like a secret/],
      [container({ env: [{ name: "URL", value: "redis://:x@host" }] }), /URL looks like a secret/],
      [
        container({ env: [{ name: "X", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] }),
        /X comes from a Secret/,
      ],
      [container({ envFrom: [{ secretRef: { name: "s" } }] }), /environment comes from a Secret/],
      [container({ args: ["--requirepass", "x"] }), /arguments look like a secret/],
      [container({ command: ["redis-cli", "--pass", "x"] }), /arguments look like a secret/],
      [container({ command: ["sh", "-c", "curl https://me:x@example.com"] }), /arguments look like/],
      [configMap({ password: "x" }), /key 'password' looks like a secret/],
      [configMap({ conf: "-----BEGIN EC PRIVATE KEY-----" }), /key 'conf'/],
      [deployment({}, {}, { annotations: { "example.com/token": "x" } }), /annotation 'example.com\/token'/],
      [
        object("core/v1:Service", { metadata: { annotations: { url: "redis://u:p@h" } } }),
        /annotation 'url'/,
      ],
    ],
  },
  "one-pod-on-a-volume": {
    good: [
      deployment(),
      deployment({ volumes: [] }, { replicas: 3, strategy: { type: "RollingUpdate" } }),
      deployment(
        { volumes: [{ name: "shared", persistentVolumeClaim: { claimName: "x", readOnly: true } }] },
        { replicas: 3 },
      ),
    ],
    bad: [
      [deployment({}, { replicas: 2 }), /2 pods would share one volume/],
      [deployment({}, { strategy: undefined }), /strategy is RollingUpdate/],
    ],
  },
  "restricted-namespaces": {
    good: [namespaceWith("enforce", "audit", "warn"), service({})],
    bad: [
      [namespaceWith(), /enforce must be 'restricted'/],
      [namespaceWith("enforce", "warn"), /audit must be 'restricted'/],
    ],
  },
  "inner-services": {
    good: [
      service({ ports: [{ name: "redis", port: 6379 }] }),
      service({ type: "LoadBalancer", ports: [{ name: "redis", port: 6379 }] }, "proxy"),
    ],
    bad: [
      [service({ type: "NodePort" }), /type is NodePort/],
      [service({ externalIPs: ["203.0.113.1"] }, "sentinel"), /without externalIPs/],
      [service({ ports: [{ name: "admin", port: 8080 }] }, "proxy"), /port 'admin'/],
    ],
  },
};

function networkPolicy(
  policyTypes: string[] | undefined,
  podSelector: Json,
  namespace = "db",
): StackResource {
  const spec = { podSelector, ...(policyTypes === undefined ? {} : { policyTypes }) };
  return object("networking.k8s.io/v1:NetworkPolicy", { metadata: { namespace }, spec });
}
function budget(spec: Json, matchLabels: Json = labels): StackResource {
  const metadata = { name: "budget", namespace: "db" };
  return object("policy/v1:PodDisruptionBudget", { metadata, spec: { selector: { matchLabels }, ...spec } });
}
const both = ["Ingress", "Egress"];
const secret = object("core/v1:Secret", { metadata: { name: "s" }, stringData: { password } });
const encoded = object("core/v1:Secret", {
  data: { password: Buffer.from(`${password}\n`).toString("base64") },
});
/** A pod whose containers mount its claim, each read-only or not. */
function mounting(readOnly: readonly boolean[], claim: Json = {}): StackResource {
  return deployment({
    volumes: [{ name: "state", persistentVolumeClaim: { claimName: "x", ...claim } }],
    containers: readOnly.map((value, i) => ({
      ...goodContainer,
      name: `c${i}`,
      volumeMounts: [{ name: "state", mountPath: "/data", ...(value ? { readOnly: true } : {}) }],
    })),
  });
}
const three = [deployment(), deployment(), deployment()];

const stackCases: Record<string, { good: StackResource[][]; bad: [StackResource[], RegExp][] }> = {
  "one-writer-of-a-claim": {
    good: [
      [mounting([false, true, true])],
      [mounting([false]), mounting([false], { claimName: "y" })],
      [mounting([false]), mounting([false], { readOnly: true })],
      [service({})],
    ],
    bad: [
      [[mounting([false, false])], /container 'c1' would be a second writer of the claim 'x'/],
      [[mounting([false]), mounting([true, false])], /container 'c1' would be a second writer/],
    ],
  },
  "secrets-in-secrets": {
    good: [
      [secret, configMap({ a: "nothing of it" })],
      [configMap({ a: password })],
      [object("core/v1:Secret", { stringData: { user: "redis" } }), configMap({ a: "redis" })],
    ],
    bad: [
      [[secret, configMap({ a: `url ${password}` })], /contains what a Secret holds/],
      [[encoded, configMap({ a: password })], /contains what a Secret holds/],
      [[secret, configMap({ a: Buffer.from(password).toString("base64") })], /contains what a Secret/],
      [[secret, container({ args: [password] })], /contains what a Secret holds/],
      [
        [
          { type: "random:index/randomPassword:RandomPassword", name: "p", props: { result: password } },
          configMap({ a: password }),
        ],
        /contains what a Secret holds/,
      ],
    ],
  },
  "network-isolation": {
    good: [
      [deployment(), networkPolicy(both, {})],
      [deployment(), networkPolicy(["Egress"], {}), networkPolicy(undefined, { matchLabels: labels })],
      [service({})],
    ],
    bad: [
      [[deployment()], /no NetworkPolicy of type Ingress/],
      [[deployment(), networkPolicy(["Ingress"], {})], /no NetworkPolicy of type Egress/],
      [[deployment(), networkPolicy(both, { matchLabels: { app: "other" } })], /of type Ingress/],
      [[deployment(), networkPolicy(both, {}, "elsewhere")], /of type Ingress/],
    ],
  },
  "disruption-budgets": {
    good: [
      [...three, budget({ minAvailable: 2 })],
      [...three, budget({ maxUnavailable: 1 })],
      [deployment()],
    ],
    bad: [
      [three, /no PodDisruptionBudget selects the 3 pods/],
      [[...three, budget({ minAvailable: 2 }, { app: "other" })], /no PodDisruptionBudget/],
      [[...three, budget({ minAvailable: 3 })], /must let exactly one of 3 pods go: minAvailable 2/],
      [[...three, budget({ minAvailable: 1 })], /must let exactly one/],
      [[...three, budget({ minAvailable: 2 }), budget({ minAvailable: 2 })], /2 PodDisruptionBudgets/],
    ],
  },
};

describe("the policy pack's rules", () => {
  it("have cases, each of them", () => {
    const named = (rules: readonly { name: string }[]): string[] => rules.map(({ name }) => name).sort();
    assert.deepEqual(named(resourceRules), Object.keys(resourceCases).sort());
    assert.deepEqual(named(stackRules), Object.keys(stackCases).sort());
  });

  for (const rule of resourceRules) {
    const { good = [], bad = [] } = resourceCases[rule.name] ?? {};
    it(`${rule.name} accepts what is good`, () => {
      for (const resource of good) assert.deepEqual(rule.check(resource), []);
    });
    for (const [resource, problem] of bad) {
      it(`${rule.name} refuses: ${problem.source}`, () => {
        assert.match(rule.check(resource).join("\n"), problem);
      });
    }
  }

  for (const rule of stackRules) {
    const { good = [], bad = [] } = stackCases[rule.name] ?? {};
    it(`${rule.name} accepts what is good`, () => {
      for (const resources of good) assert.deepEqual(rule.check(resources), []);
    });
    for (const [resources, problem] of bad) {
      it(`${rule.name} refuses: ${problem.source}`, () => {
        assert.match(rule.check(resources)[0]?.message ?? "", problem);
      });
    }
  }
});
