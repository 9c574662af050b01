import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { configurationOf, inWordsOfArguments } from "../../components/check-args.ts";
import { outputs } from "../../components/plugin/outputs.ts";
import { RedisHaProvider } from "../../components/plugin/provider.ts";
import { RedisHa } from "../../components/redis-ha.ts";
import type { RedisHaArgs } from "../../settings/args.ts";
import { allSettings, parseSettings } from "../../settings/parse-settings.ts";
import { computed } from "../support/deploy.ts";

const images = { sentinel: "example/sentinel:1", proxy: "example/proxy:1" };

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly metadata: { readonly name?: string; readonly namespace?: string };
  readonly spec: Record<string, unknown>;
}

/** Runs a program under mocks and waits until everything is registered. */
async function run<T>(program: () => T): Promise<{ resources: Registered[]; result: T }> {
  const resources: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        if (type.startsWith("kubernetes:")) resources.push({ type, name, metadata: {}, spec: {}, ...inputs });
        return { id: name, state: { ...inputs, ...computed(type, name, inputs) } };
      },
      call: () => ({}),
    },
    "program",
    "dev",
    false,
    "organization",
  );
  const result = program();
  await pulumi.runtime.disconnect();
  return { resources, result };
}

function redis(name: string, args: Omit<RedisHaArgs, "images"> = {}): RedisHa {
  return new RedisHa(name, { images, ...args });
}

describe("the component", function () {
  this.timeout(30_000);

  it("lives twice in one namespace: no name and no selector of one fits the other", async () => {
    const { resources } = await run(() => [
      redis("sessions", { namespace: "space" }),
      redis("jobs", { namespace: "space", namePrefix: "jobs", createNamespace: false }),
    ]);
    assert.equal(new Set(resources.map(({ type, name }) => type + name)).size, resources.length);
    const named = resources.filter(({ metadata }) => metadata.name !== undefined);
    assert.equal(new Set(named.map(({ type, metadata }) => type + metadata.name)).size, named.length);
    const of = (set: string): Registered[] => resources.filter(({ name }) => name.startsWith(`${set}-`));
    const pods = (set: string): Record<string, string>[] =>
      of(set).flatMap(({ spec }) => {
        const template = spec.template as { metadata: { labels: Record<string, string> } } | undefined;
        return template === undefined ? [] : [template.metadata.labels];
      });
    assert.deepEqual([pods("sessions").length, pods("jobs").length], [7, 7]);
    for (const [set, other] of [
      ["sessions", "jobs"],
      ["jobs", "sessions"],
    ] as const) {
      const selectors = of(set).flatMap(({ spec }) => selectorsIn(spec));
      assert.ok(selectors.length > 40, `${selectors.length} selectors`);
      for (const selector of selectors) {
        assert.ok(
          pods(set).some((labels) => fits(labels, selector)),
          JSON.stringify(selector),
        );
        assert.ok(!pods(other).some((labels) => fits(labels, selector)), JSON.stringify(selector));
      }
    }
    assert.ok(of("jobs").every(({ metadata: { name = "jobs-" } }) => name.startsWith("jobs-")));
  });

  it("has what clients need as outputs, and only passwords as secrets", async () => {
    const { result } = await run(() => redis("cache", { namespace: "space", namePrefix: "cache" }));
    const known = <T>(output: pulumi.Output<T>): Promise<T> =>
      new Promise((resolve) => {
        output.apply(resolve);
      });
    const host = "cache-svc-redis-sentinel-proxy.space.svc";
    assert.equal(await known(result.proxyEndpoint), `${host}:6379`);
    assert.equal(await known(result.sentinelEndpoint), `${host}:26379`);
    assert.equal(await known(result.masterName), "redis-ha-dev");
    assert.match((await known(result.connectionString)) ?? "", /^redis:\/\/:[^:@]+@cache-svc-/);
    const secret = await Promise.all(
      [
        result.password,
        result.connectionString,
        result.users,
        result.proxyEndpoint,
        result.credentialsSecret,
      ].map((output) => pulumi.isSecret(output as pulumi.Output<unknown>)),
    );
    assert.deepEqual(secret, [true, true, true, false, false]);
  });

  it("tells all mistakes at once, in the words of its arguments, before any resource", async () => {
    const wrong = {
      redis: { instances: 10, memroy: "1Gi" },
      sentinel: { quorum: 7 },
      namePrefix: "Cache",
      images: { proxy: "example/proxy" },
    } as unknown as RedisHaArgs;
    const { resources, result } = await run(() => {
      try {
        new RedisHa("cache", wrong);
        return "nothing";
      } catch (error) {
        return error instanceof pulumi.RunError ? error.message : `${error}`;
      }
    });
    assert.deepEqual(resources, []);
    assert.equal(
      result,
      `The arguments of RedisHa 'cache' have 6 mistakes. Nothing was changed.
  - Argument 'images.sentinel' is missing: name an image that the cluster can pull, with an exact tag or a digest. 'make images' builds both.
  - Argument 'redis.instances' is '10': use a whole number from 1 to 9.
  - Argument 'images.proxy' is 'example/proxy': use an image reference with an exact tag, a digest or both.
  - Argument 'namePrefix' is 'Cache': use up to 30 lower-case letters, digits and dashes that begin with a letter.
  - Argument 'redis.memroy' is not known: did you mean 'redis.memory'?
  - Argument 'sentinel.quorum' is 7 but there are 3 Sentinels: use 2 or 3.`,
    );
  });

  it("takes a group that is undefined for none", async () => {
    const { result } = await run(() => {
      try {
        new RedisHa("cache", { images: undefined, redis: undefined } as unknown as RedisHaArgs);
        return "nothing";
      } catch (error) {
        return error instanceof pulumi.RunError ? error.message : `${error}`;
      }
    });
    assert.match(`${result}`, /have 2 mistakes.*'images.sentinel' is missing.*'images.proxy' is missing/s);
  });

  it("refuses values that are only known later, but for the images", async () => {
    const { result } = await run(() => {
      const later = pulumi.output("1Gi");
      const sentinel = pulumi.output("example/sentinel:1");
      try {
        const args = { redis: { memory: later }, tls: pulumi.output({ mode: "all" }), namespace: later };
        new RedisHa("cache", { ...args, images: { ...images, sentinel } } as unknown as RedisHaArgs);
        return "";
      } catch (error) {
        return error instanceof pulumi.RunError ? error.message : `${error}`;
      }
    });
    const told = [...result.matchAll(/Argument '(.+)' is an output, but it has to be known/g)].map(
      ([, name]) => name,
    );
    assert.deepEqual(told, ["redis.memory", "tls", "namespace"]);
  });

  it("gives programs in other languages all of its outputs", async () => {
    const { result } = await run(() => {
      const provider = new RedisHaProvider("1.2.3");
      const inputs = { images, namespace: "space" };
      assert.throws(
        () => provider.construct("cache", "redis-ha:index:Other", inputs, {}),
        /'redis-ha:index:Other' is not known/,
      );
      return provider.construct("cache", "redis-ha:index:RedisHa", inputs, {});
    });
    const { state } = await result;
    assert.deepEqual(Object.keys(state as object), Object.keys(outputs));
    const host = await new Promise((resolve) => {
      pulumi.output(state.proxyHost).apply(resolve);
    });
    assert.equal(host, "svc-redis-sentinel-proxy.space.svc");
  });

  it("refuses a provider of Kubernetes", async () => {
    const { result } = await run(() => {
      const provider = new k8s.Provider("mine", {});
      return [{ provider }, { providers: [provider] }, { providers: { kubernetes: provider } }].map(
        (opts) => {
          try {
            new RedisHa("cache", { images }, opts);
            return "";
          } catch (error) {
            return error instanceof pulumi.RunError ? error.message : "";
          }
        },
      );
    });
    for (const message of result)
      assert.match(message, /^RedisHa 'cache' was given a provider of Kubernetes.*'context'/);
  });

  it("reads every argument as the key of a stack would be read", () => {
    const raw = Object.fromEntries(
      allSettings().map(([name, { example, fallback }]) => [name, String(fallback ?? example)]),
    );
    const { "redis-ha": own, ...groups } = parseSettings(raw, []);
    const args = { ...own, ...groups } as unknown as RedisHaArgs;
    const problems: string[] = [];
    assert.deepEqual(parseSettings(configurationOf(args), problems), parseSettings(raw, []));
    assert.deepEqual(problems, []);
  });

  it("leaves values of the configuration as they are when it tells of a mistake", () => {
    assert.equal(
      inWordsOfArguments(
        "Configuration 'images:redisBase' is 'redis:8.2': use x (pulumi config set images:redisBase redis:8.2).",
      ),
      "Argument 'images.redisBase' is 'redis:8.2': use x.",
    );
  });
});

/** Every set of labels by which something selects pods of its own set. */
function selectorsIn(value: unknown): Record<string, string>[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === "namespaceSelector") return [];
    if (key === "matchLabels") return [inner as Record<string, string>];
    // Of a Service.
    if (key === "selector" && !("matchLabels" in (inner as object))) return [inner as Record<string, string>];
    return selectorsIn(inner);
  });
}

function fits(labels: Readonly<Record<string, string>>, selector: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}
