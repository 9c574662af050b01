import assert from "node:assert/strict";
import { definitions } from "../../../settings/definitions.ts";
import { allSettings } from "../../../settings/parse-settings.ts";
import { resolveSettings } from "../../../settings/resolve-settings.ts";
import { SettingsError } from "../../../settings/settings-error.ts";

const registry = { "images:registry": "registry.example.com/redis-ha" };

function problemsOf(raw: Record<string, string>, secretKeys?: ReadonlySet<string>): readonly string[] {
  try {
    resolveSettings({ ...registry, ...raw }, "dev", secretKeys);
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.problems;
  }
  return [];
}

describe("resolveSettings", () => {
  it("needs only a registry and derives the rest", () => {
    const settings = resolveSettings(registry, "Team_A.dev");
    const set = Object.entries(settings.redis).filter(([, value]) => value !== undefined);
    assert.deepEqual(Object.fromEntries(set), {
      instances: 3,
      persistence: "aof",
      storage: "1Gi",
      accessMode: "ReadWriteOnce",
      tolerationSeconds: 300,
      memory: "256Mi",
      maxmemoryPolicy: "noeviction",
      durability: "async",
      users: [{ name: "default" }],
      passwordGeneration: 1,
      extraConfig: "",
      fsync: "everysec",
      cpu: "50m",
    });
    assert.equal(settings.sentinel.quorum, 2);
    assert.equal(settings.sentinel.parallelSyncs, 2);
    assert.equal(settings.sentinel.masterName, "redis-ha-team-a-dev");
    assert.equal(settings.deployment.namespace, "redis-ha-team-a-dev");
    assert.equal(settings.proxy.holdTimeoutMs, 11_000);
  });

  it("derives the quorum from the number of Sentinels", () => {
    for (const [count, quorum] of [
      [3, 2],
      [5, 3],
      [7, 4],
    ]) {
      assert.equal(
        resolveSettings({ ...registry, "sentinel:count": String(count) }, "dev").sentinel.quorum,
        quorum,
      );
    }
  });

  it("keeps the hold time-out between 10 and 60 seconds when it derives it", () => {
    for (const [downAfterMs, holdTimeoutMs] of [
      ["500", 10_500],
      ["60000", 60_000],
    ] as const) {
      const raw = { ...registry, "sentinel:downAfterMs": downAfterMs };
      assert.equal(resolveSettings(raw, "dev").proxy.holdTimeoutMs, holdTimeoutMs);
    }
  });

  it("lets all proxies together, and one more in a rollout, open no more connections than Redis takes", () => {
    const most = (replicas: string, maxDedicated?: string): number =>
      resolveSettings(
        {
          ...registry,
          "redis:memory": "1Gi",
          "proxy:replicas": replicas,
          ...(maxDedicated === undefined ? {} : { "proxy:maxDedicated": maxDedicated }),
        },
        "dev",
      ).proxy.maxDedicated;
    assert.equal(most("2"), 4000);
    assert.equal(most("2", "6000"), 6000);
    for (const replicas of ["1", "3", "4", "50"]) {
      assert.ok((Number(replicas) + 1) * (most(replicas) + 100) <= 20_000 - 1000);
    }
    assert.deepEqual(problemsOf({ "proxy:replicas": "4", "proxy:maxDedicated": "4000" }), [
      "Configuration 'proxy:maxDedicated' is 4000 but with 4 proxies Redis has connections for 3700 of each: use 10 to 3700, or unset it (pulumi config rm proxy:maxDedicated).",
    ]);
  });

  it("lets the connections of all proxies together need no more memory than Redis has", () => {
    const most = (memory: string, replicas = "2"): number =>
      resolveSettings({ ...registry, "redis:memory": memory, "proxy:replicas": replicas }, "dev").proxy
        .maxDedicated;
    assert.equal(most("256Mi"), 4000);
    assert.equal(most("128Mi"), 2048);
    assert.equal(most("128Mi", "4"), 1024);
    assert.equal(most("8Gi"), 4000);
    assert.deepEqual(problemsOf({ "proxy:maxDedicated": "6000", "redis:memory": "256Mi" }), [
      "Configuration 'proxy:maxDedicated' is 6000 but with 2 proxies a Redis of 256Mi has memory for 4096 of each, 32Ki a connection: use 10 to 4096, unset it (pulumi config rm proxy:maxDedicated), or give Redis more memory (pulumi config set redis:memory 375Mi).",
    ]);
    assert.deepEqual(problemsOf({ "proxy:maxDedicated": "6000", "redis:memory": "375Mi" }), []);
  });

  it("refuses a quorum that no failover could or should reach", () => {
    assert.deepEqual(problemsOf({ "sentinel:quorum": "4" }), [
      "Configuration 'sentinel:quorum' is 4 but there are 3 Sentinels: use 2 or 3 (pulumi config set sentinel:quorum 2).",
    ]);
    assert.match(problemsOf({ "sentinel:quorum": "2", "sentinel:count": "5" })[0] ?? "", /use 3 to 5 /);
    assert.equal(problemsOf({ "sentinel:quorum": "3" }).length, 0);
  });

  it("refuses a limit of the clients that would have no effect", () => {
    const limit = { "network:clientNamespaces": "shop" };
    assert.match(
      problemsOf({ ...limit, "proxy:serviceType": "LoadBalancer" })[0] ?? "",
      /'network:clientNamespaces' limits .*'proxy:serviceType' LoadBalancer .*set network:clientCidrs/,
    );
    assert.match(
      problemsOf({ ...limit, "network:policies": "false" })[0] ?? "",
      /'network:clientNamespaces' limits .*'network:policies' is false/,
    );
    const cidrs = { "network:clientCidrs": "10.0.0.0/8" };
    assert.match(problemsOf({ ...cidrs, "network:policies": "false" })[0] ?? "", /'network:clientCidrs'/);
    assert.deepEqual(problemsOf({ ...limit, ...cidrs, "proxy:serviceType": "LoadBalancer" }), []);
    assert.deepEqual(problemsOf(limit), []);
  });

  const wrong: [key: string, value: string, allowed: RegExp][] = [
    ["redis:instances", "0", /a whole number from 1 to 9/],
    ["redis:instances", "-3", /a whole number from 1 to 9/],
    ["redis:instances", "three", /a whole number from 1 to 9/],
    ["redis:instances", "", /a whole number from 1 to 9/],
    ["redis:instances", "3.0", /a whole number from 1 to 9/],
    ["sentinel:count", "2", /an odd number from 3 to 9/],
    ["sentinel:quorum", "0", /a whole number from 2 to 9/],
    ["redis:storage", "1x", /a Kubernetes quantity of at least 64Mi/],
    ["redis:storage", "1Mi", /a Kubernetes quantity of at least 64Mi/],
    ["redis:storage", "-1Gi", /a Kubernetes quantity/],
    ["redis:memory", "16Mi", /at least 128Mi/],
    ["network:clientNamespaces", "Shop", /names of namespaces, separated by commas/],
    ["network:clientNamespaces", "shop,", /names of namespaces/],
    ["network:clientSelector", "app", /labels key=value, separated by commas/],
    ["network:clientSelector", "app=a b", /labels key=value/],
    ["network:clientCidrs", "10.0.0.0", /address ranges in CIDR notation/],
    ["network:clientCidrs", "10.0.0.0/33", /address ranges in CIDR notation/],
    ["network:clientCidrs", "2001:db8::/129", /address ranges in CIDR notation/],
    ["network:metricsNamespaces", "a.b", /names of namespaces/],
    ["redis:maxmemoryPolicy", "lru", /one of noeviction, allkeys-lru/],
    ["redis:durability", "always", /one of async, sync/],
    ["sentinel:downAfterMs", "100", /from 500 to 60000/],
    ["sentinel:masterName", "my master", /letters, digits/],
    ["proxy:serviceType", "clusterip", /one of ClusterIP, NodePort, LoadBalancer/],
    ["proxy:sentinelApi", "yes", /true or false/],
    ["images:registry", "https://registry.example.com", /without a scheme/],
    ["images:sentinel", "registry.example.com/sentinel", /exact tag, a digest or both/],
    ["images:platform", "windows/amd64", /linux\/amd64 or linux\/arm64/],
    ["redis-ha:namespace", "Redis_HA", /lower-case/],
  ];
  for (const [key, value, allowed] of wrong) {
    it(`refuses ${key} = '${value}'`, () => {
      const problems = problemsOf({ [key]: value });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", new RegExp(`^Configuration '${key}' is '${value}': use `));
      assert.match(problems[0] ?? "", allowed);
      assert.match(problems[0] ?? "", new RegExp(`pulumi config set ${key} `));
    });
  }

  it("takes an image by tag, by digest, and by both", () => {
    const digest = `@sha256:${"0".repeat(64)}`;
    for (const image of [
      "redis:8.2.9",
      `redis${digest}`,
      `registry.example.com:5000/a/redis:8.2.9${digest}`,
    ]) {
      assert.deepEqual(problemsOf({ "images:redisBase": image }), [], image);
    }
    for (const image of ["redis", "redis@sha256:abc", `redis:8.2.9${digest}0`]) {
      assert.match(problemsOf({ "images:redisBase": image })[0] ?? "", /a digest or both/, image);
    }
  });

  it("tells every mistake at once", () => {
    const problems = problemsOf({
      "redis:storage": "1x",
      "sentinel:count": "4",
      "sentinel:quorum": "7",
      "redis:replicas": "3",
      "images:registry": "",
    });
    assert.equal(problems.length, 5, problems.join("\n"));
  });

  it("names the key that an unknown one was probably meant to be", () => {
    assert.deepEqual(problemsOf({ "sentinel:quorumm": "2" }), [
      "Configuration 'sentinel:quorumm' is not known: did you mean 'sentinel:quorum'? (pulumi config rm sentinel:quorumm removes it).",
    ]);
    assert.match(problemsOf({ "sentinels:quorum": "2" })[0] ?? "", /did you mean 'sentinel:quorum'/);
    assert.match(problemsOf({ "zebra:crossing": "2" })[0] ?? "", /the README lists all keys/);
  });

  it("leaves the keys of Pulumi's providers alone", () => {
    assert.deepEqual(problemsOf({ "kubernetes:context": "kind-dev", "docker:host": "unix:///x" }), []);
  });

  it("asks for a registry only when images are built and pushed", () => {
    const without = (raw: Record<string, string>) => () => resolveSettings(raw, "dev");
    assert.throws(without({}), /'images:registry' is missing/);
    assert.throws(without({ "images:sentinel": "example/sentinel:1" }), /'images:registry' is missing/);
    without({ "images:sentinel": "example/sentinel:1", "images:proxy": "example/proxy:1" })();
    without({ "images:push": "false" })();
  });

  it("refuses lines of redis.conf that a failover depends on", () => {
    const problems = problemsOf({
      "redis:extraConfig": "slowlog-log-slower-than 5000\n  ReplicaOf 10.0.0.1 6379\nrequirepass x",
    });
    assert.equal(problems.length, 2);
    assert.match(problems[0] ?? "", /'replicaof', which redis-ha owns/);
    assert.deepEqual(problemsOf({ "redis:extraConfig": "slowlog-log-slower-than 5000\nhz 20" }), []);
    assert.match(problemsOf({ "redis:extraConfig": "appendfsync no" })[0] ?? "", /use redis:fsync/);
    // As Redis reads them.
    const quoted = problemsOf({
      "redis:extraConfig": '"port" 1\n\'user\' x\n"\\x62ind" ::1\n# port 1\nhz "20',
    });
    assert.deepEqual(
      quoted.map((problem) => /sets '([a-z]+)'/.exec(problem)?.[1] ?? problem),
      [
        "port",
        "user",
        "bind",
        "Configuration 'redis:extraConfig' has a line whose quotes don't match: close them.",
      ],
    );
  });

  it("refuses settings of which one would overrule the other without a word", () => {
    const only = (values: Record<string, string>, expected: RegExp): void => {
      const problems = problemsOf(values);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", expected);
    };
    only({ "tls:secret": "mine" }, /'tls:secret' says .* but 'tls:mode' is off: nothing would be encrypted/);
    only({ "tls:issuer": "Issuer/mine" }, /'tls:issuer' says .* but 'tls:mode' is off/);
    only(
      { "tls:mode": "clients", "proxy:sentinelApi": "false" },
      /'tls:mode' is clients, but with 'proxy:sentinelApi' false .* without TLS: use all/,
    );
    only({ "proxy:allowCommands": "migrate" }, /has 'migrate', but with 'network:policies'/);
    only(
      { "redis:users": '[{"name":"a","rules":"~* +config|set"}]' },
      /gives 'a' rules that can't be: '\+config\|set' has no effect: allow it with proxy:allowCommands/,
    );
    for (const name of ["debug", "module", "acl|save", "shutdown", "cluster|nothing", "save|x"]) {
      only({ "proxy:allowCommands": name }, /'proxy:allowCommands' is .*: use names among acl\|deluser/);
    }
    for (const values of [
      { "tls:mode": "all", "tls:secret": "mine", "proxy:sentinelApi": "false" },
      { "proxy:allowCommands": "migrate", "network:policies": "false" },
      { "proxy:allowCommands": "config|set", "redis:users": '[{"name":"a","rules":"+config|set"}]' },
    ]) {
      assert.deepEqual(problemsOf(values), []);
    }
  });

  it("gives an example for each key that the key's own rule accepts", () => {
    for (const [namespace, keys] of Object.entries(definitions)) {
      for (const [key, setting] of Object.entries(keys)) {
        assert.ok(setting.schema.safeParse(setting.example).success, `${namespace}:${key}`);
      }
    }
  });

  it("tells each mistake inside a nested value, with its place and without the rest of the value", () => {
    const told = problemsOf({
      "redis:tolerations": '[{"key":"a"},{"key":"b","effect":"NoScheduel","operater":"Exists"}]',
      "proxy:podLabels": '{"app.kubernetes.io/name":"x","ok":"not ok"}',
      "redis:extraVolumes": '[{"name":"a","hostPath":{"path":"/"}},{"name":"b"}]',
      "network:extraIngress": '[{"from":[]},{"from":[{}],"parts":["redos"]}]',
      "redis-ha:labels": "team=shop",
      "sentinel:patches": '{"service":{}}',
    });
    const found = told.map((problem) =>
      problem.replace(/^Configuration '(.*?)' /, "$1 ").replace(/(: | use ).*/s, ""),
    );
    assert.deepEqual(
      found.toSorted(),
      [
        "network:extraIngress has a mistake at [0].from",
        "network:extraIngress has a mistake at [1].from[0]",
        "network:extraIngress has a mistake at [1].parts[0]",
        "proxy:podLabels has a mistake at ['app.kubernetes.io/name']",
        "proxy:podLabels has a mistake at ok",
        "redis-ha:labels is 'team=shop'",
        "redis:extraVolumes has a mistake at [0]",
        "redis:extraVolumes has a mistake at [0]",
        "redis:extraVolumes has a mistake at [1]",
        "redis:tolerations has a mistake at [1].effect",
        "redis:tolerations has a mistake at [1]",
        "sentinel:patches has a mistake at the top",
      ].toSorted(),
    );
  });

  it("refuses what would have no effect on the endpoint or beside the pods' limits", () => {
    for (const [raw, told] of [
      [
        { "proxy:loadBalancerClass": "a/b", "proxy:serviceType": "NodePort" },
        /'proxy:loadBalancerClass' has no effect .*use LoadBalancer, or/,
      ],
      [
        { "proxy:nodePort": "30000", "proxy:sentinelNodePort": "30000", "proxy:serviceType": "NodePort" },
        /are both 30000: use two/,
      ],
      [
        { "proxy:sentinelNodePort": "30000", "proxy:serviceType": "NodePort", "proxy:sentinelApi": "false" },
        /'proxy:sentinelApi' is false/,
      ],
      [{ "proxy:ipFamilies": "IPv4,IPv6" }, /two families, but a Service of SingleStack has one/],
      [{ "proxy:ipFamilies": "IPv6,IPv6" }, /has a family twice/],
      [
        {
          "network:policies": "false",
          "network:extraEgress": '[{"to":[{"ipBlock":{"cidr":"10.0.0.0/8"}}]}]',
        },
        /'network:policies' is false and allows all/,
      ],
      [{ "proxy:cpuLimit": "500m", "proxy:cpu": "1" }, /'proxy:cpuLimit' is 500m, less than proxy:cpu, 1/],
      [
        { "redis:extraVolumes": '[{"name":"a","emptyDir":{}},{"name":"a","emptyDir":{}}]' },
        /'redis:extraVolumes' has 'a' twice/,
      ],
    ] as const) {
      const problems = problemsOf(raw);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", told);
    }
  });

  it("accepts each fixed default as if somebody had set it", () => {
    for (const [namespace, keys] of Object.entries(definitions)) {
      for (const [key, setting] of Object.entries(keys)) {
        if (setting.fallback === undefined) continue;
        assert.deepEqual(problemsOf({ [`${namespace}:${key}`]: String(setting.fallback) }), []);
      }
    }
  });

  it("refuses a secret value under every key, and never shows it", () => {
    for (const [name, { example }] of allSettings()) {
      const problems = problemsOf({ [name]: example }, new Set([name]));
      assert.match(problems.join("\n"), new RegExp(`Configuration '${name}' is a secret`), name);
    }
    const problems = problemsOf(
      {
        "redis:memory": "hush-hush",
        "redis:extraConfig": "requirepass hush-hush",
        "redis:typo": "hush-hush",
      },
      new Set(["redis:memory", "redis:extraConfig", "redis:typo"]),
    );
    assert.equal(problems.length, 3);
    assert.doesNotMatch(problems.join("\n"), /hush/);
  });

  it("refuses what an instance without a volume can't do", () => {
    const refused: Readonly<Record<string, RegExp>> = {
      "redis:durability=quorum": /forgotten what it confirmed/,
      "redis:fsync=always": /nothing is written to a disk/,
      "redis:storageClass=fast": /there are none: remove one of the two/,
      "backup:restoreFrom=latest": /'backup:restoreFrom' fills new volumes/,
    };
    for (const [setting, reason] of Object.entries(refused)) {
      const [key = "", value = ""] = setting.split("=");
      const backup = { "backup:destination": "file:///backups" };
      const given = { ...registry, ...backup, "redis:persistence": "off", [key]: value };
      assert.throws(() => resolveSettings(given, "dev"), reason, setting);
    }
  });
});
