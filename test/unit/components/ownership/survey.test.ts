import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { openKubeconfig } from "../../../../components/ownership/cluster-access.ts";
import type { FixedNames } from "../../../../components/ownership/fixed-names.ts";
import { emptySurvey, type Survey, surveyNamespace } from "../../../../components/ownership/survey.ts";

const names: FixedNames = {
  claims: [{ name: "pvc-redis-instance-1", storage: "1Gi", setting: "redis:storage" }],
  objects: {
    Deployment: ["redis-instance-1"],
    Service: [],
    PodDisruptionBudget: [],
    NetworkPolicy: [],
    Secret: [],
  },
};
const base = "/api/v1/namespaces/own";

describe("looking into a namespace", () => {
  let server: Server;
  let config: KubeConfig;
  /** Path → status and body; everything else isn't there. */
  let answers: Readonly<Record<string, [number, object]>>;
  const asked: string[] = [];

  before(async () => {
    server = createServer(({ url = "", method }, response) => {
      const { pathname } = new URL(url, "http://localhost");
      asked.push(`${method} ${pathname}`);
      const [status, body] = answers[pathname] ?? [404, { kind: "Status", message: "not found" }];
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    config = configOf((server.address() as AddressInfo).port);
  });

  after(() => {
    server.closeAllConnections();
    server.close();
  });

  function configOf(port: number): KubeConfig {
    const made = new KubeConfig();
    const plain = { name: "c", server: `http://127.0.0.1:${port}`, skipTLSVerify: true };
    made.loadFromClusterAndUser(plain, { name: "u" });
    return made;
  }

  const look = (of = config): Promise<Survey> =>
    surveyNamespace(of, { namespace: "own", names, podSelector: "app.kubernetes.io/name=redis-ha" });

  it("finds nothing where there is no namespace, and asks nothing more", async () => {
    answers = {};
    asked.length = 0;
    assert.deepEqual(await look(), emptySurvey);
    assert.deepEqual(asked, [`GET ${base}`]);
  });

  it("finds what has a name of its own, and reads only", async () => {
    const claim = (name: string): object => ({
      metadata: { name, deletionTimestamp: "2026-11-30T00:00:00Z" },
      spec: {
        storageClassName: "fast",
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: "1Gi" } },
      },
      status: { phase: "Bound", capacity: { storage: "2Gi" } },
    });
    const named = (name: string): object => ({ metadata: { name, labels: { a: "b" } } });
    answers = {
      [base]: [200, { metadata: { name: "own", annotations: { "redis-ha/stack": "o/p/s" } } }],
      [`${base}/persistentvolumeclaims`]: [200, { items: [claim("pvc-redis-instance-1"), claim("data")] }],
      [`${base}/pods`]: [200, { items: [named("redis-instance-1-x")] }],
      "/apis/apps/v1/namespaces/own/deployments": [
        200,
        { items: [named("redis-instance-1"), named("shop")] },
      ],
      "/apis/storage.k8s.io/v1/storageclasses/fast": [200, { metadata: { name: "fast" }, provisioner: "x" }],
    };
    asked.length = 0;
    const { namespace, claims, objects, pods, expandable } = await look();
    assert.deepEqual(namespace?.annotations, { "redis-ha/stack": "o/p/s" });
    assert.deepEqual(
      claims.map(({ others: _, ...claim }) => claim),
      [
        {
          name: "pvc-redis-instance-1",
          labels: undefined,
          annotations: undefined,
          terminating: true,
          bound: true,
          request: "1Gi",
          capacity: "2Gi",
          storageClass: "fast",
          accessModes: ["ReadWriteOnce"],
        },
      ],
    );
    assert.deepEqual(
      [...objects, ...pods].map(({ kind, name }) => `${kind} ${name}`),
      ["Deployment redis-instance-1", "Pod redis-instance-1-x"],
    );
    assert.deepEqual([...expandable], [["fast", false]]);
    assert.deepEqual([...new Set(asked.map((line) => line.split(" ")[0]))], ["GET"]);
  });

  it("does with the rights inside a namespace, but for the claims", async () => {
    const forbidden: [number, object] = [403, { kind: "Status", message: "pods is forbidden" }];
    answers = {
      [base]: forbidden,
      [`${base}/persistentvolumeclaims`]: [200, { items: [] }],
      [`${base}/pods`]: forbidden,
      "/apis/apps/v1/namespaces/own/deployments": forbidden,
    };
    const found = await look();
    assert.equal(found.namespace?.annotations, undefined);
    assert.deepEqual([found.claims, found.objects, found.pods], [[], [], []]);

    answers = { ...answers, [`${base}/persistentvolumeclaims`]: forbidden };
    await assert.rejects(look(), {
      name: "SurveyError",
      message:
        /^The cluster of context 'loaded-context' \(http:.*\) answered 403: .*forbidden.* use a user who may\.$/,
    });
  });

  it("tells in a sentence that nobody answers", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await assert.rejects(look(configOf(port)), {
      name: "SurveyError",
      message:
        /^The cluster of context 'loaded-context' .* can't be reached: .*ECONNREFUSED.* Check that it runs/,
    });
  });
});

describe("the kubeconfig", () => {
  const before = process.env.KUBECONFIG;
  afterEach(() => {
    if (before === undefined) delete process.env.KUBECONFIG;
    else process.env.KUBECONFIG = before;
  });

  it("may be given as text, and a context that it doesn't have is told with those that it has", async () => {
    process.env.KUBECONFIG = JSON.stringify({
      clusters: [{ name: "c", cluster: { server: "https://one.example" } }],
      users: [{ name: "u", user: {} }],
      contexts: ["a", "b"].map((name) => ({ name, context: { cluster: "c", user: "u" } })),
      "current-context": "a",
    });
    assert.equal((await openKubeconfig(undefined)).getCurrentContext(), "a");
    assert.equal((await openKubeconfig("b")).getCurrentCluster()?.server, "https://one.example");
    await assert.rejects(openKubeconfig("x"), /'redis-ha:context' is 'x' but the kubeconfig has 'a', 'b'/);
  });
});
