import assert from "node:assert/strict";
import { ownershipProblems } from "../../../../components/ownership/judge-ownership.ts";
import type { Claimant, Marks } from "../../../../components/ownership/marks.ts";
import {
  emptySurvey,
  type FoundClaim,
  type FoundObject,
  type Survey,
} from "../../../../components/ownership/survey.ts";

const who: Claimant = { stack: "organization/redis-ha/dev", label: "dev", installation: "1111" };
const place = { namespace: "redis-ha-dev", createNamespace: true, kubectl: "kubectl" };
const labelled = (stack: string): Marks["labels"] => ({
  "app.kubernetes.io/name": "redis-ha",
  "app.kubernetes.io/instance": stack,
});
const proven: Marks = {
  labels: labelled("dev"),
  annotations: { "redis-ha/stack": who.stack, "redis-ha/installation": "1111" },
};
/** Made by a stack of the same name with another state. */
const namesake: Marks = {
  labels: labelled("dev"),
  annotations: { "redis-ha/stack": who.stack, "redis-ha/installation": "2222" },
};
const other: Marks = {
  labels: labelled("prod"),
  annotations: { "redis-ha/stack": "organization/redis-ha/prod", "redis-ha/installation": "3333" },
};
/** By a version of redis-ha that knew labels only. */
const old: Marks = { labels: labelled("dev") };
const handedOver: Marks = { annotations: { "redis-ha/stack": who.stack } };
const nobody: Marks = { labels: { team: "shop" } };

const claim = (marks: Marks, terminating = false): FoundClaim => ({
  name: "pvc-redis-instance-1",
  ...marks,
  terminating,
  bound: true,
  request: "1Gi",
  capacity: "1Gi",
  storageClass: "standard",
  accessModes: ["ReadWriteOnce"],
  others: { labels: {}, annotations: {} },
});
const object = (kind: FoundObject["kind"], name: string, marks: Marks): FoundObject => ({
  kind,
  name,
  ...marks,
});
const survey = (namespace: Marks, found: Partial<Survey> = {}): Survey => ({
  ...emptySurvey,
  namespace: { ...namespace, terminating: false, others: { labels: {}, annotations: {} } },
  ...found,
});
const deployment = object("Deployment", "redis-instance-1", { labels: labelled("dev") });
const pod = object("Pod", "redis-instance-1-x", {
  labels: { ...labelled("dev"), "redis-ha/workload": "redis-instance-1" },
});

describe("what a stack may take", () => {
  it("is a namespace that isn't there, unless it shouldn't make one", () => {
    assert.deepEqual(ownershipProblems(emptySurvey, who, place), []);
    const [problem] = ownershipProblems(emptySurvey, who, { ...place, createNamespace: false });
    assert.match(problem ?? "", /'redis-ha-dev' doesn't exist .*kubectl create namespace redis-ha-dev/);
  });

  for (const [name, marks] of Object.entries({ proven, namesake, old, handedOver })) {
    it(`is what a destroy has left of it: ${name}`, () => {
      assert.deepEqual(ownershipProblems(survey(marks, { claims: [claim(marks)] }), who, place), []);
      // A preview of a stack that is new knows no number.
      const fresh = { ...who, installation: undefined };
      assert.deepEqual(ownershipProblems(survey(marks, { claims: [claim(marks)] }), fresh, place), []);
    });
  }

  it("is its own while it runs, after a new name of the stack too", () => {
    const running = survey(proven, { claims: [claim(proven)], objects: [deployment], pods: [pod] });
    assert.deepEqual(ownershipProblems(running, who, place), []);
    const renamed = { ...who, stack: "organization/redis-ha/production", label: "production" };
    assert.deepEqual(ownershipProblems(running, renamed, place), []);
  });

  it("is a running stack of a version that knew labels only", () => {
    const running = survey(old, { claims: [claim(old)], objects: [deployment], pods: [pod] });
    assert.deepEqual(ownershipProblems(running, who, place), []);
  });

  it("is a namespace of others, when the setting says so, with nothing of theirs", () => {
    const shared = survey(nobody, { claims: [claim(proven)] });
    assert.deepEqual(ownershipProblems(shared, who, { ...place, createNamespace: false }), []);
  });
});

describe("what a stack may not take", () => {
  const refused: Readonly<Record<string, [Survey, RegExp, boolean?]>> = {
    "a namespace without a mark": [
      survey(nobody),
      /carries no mark of this stack.*createNamespace false.*kubectl annotate namespace redis-ha-dev redis-ha\/stack=organization\/redis-ha\/dev/,
    ],
    "another stack's namespace": [survey(other), /belongs to the stack 'organization\/redis-ha\/prod'/],
    "another stack's namespace, shared": [survey(other), /holds one stack/, false],
    "another stack's namespace of an old version": [
      survey({ labels: labelled("prod") }),
      /belongs to the stack 'prod'/,
    ],
    "a namespace that is going": [
      {
        ...emptySurvey,
        namespace: { ...proven, terminating: true, others: { labels: {}, annotations: {} } },
      },
      /is being deleted/,
    ],
    "a claim without a mark": [
      survey(proven, { claims: [claim(nobody)] }),
      /PersistentVolumeClaim 'pvc-redis-instance-1' .* carries no mark .*annotate --overwrite persistentvolumeclaim pvc-redis-instance-1 redis-ha\/stack=/,
    ],
    "another stack's claim in a shared namespace": [
      survey(nobody, { claims: [claim(other)] }),
      /'pvc-redis-instance-1' .* belongs to the stack 'organization\/redis-ha\/prod'/,
      false,
    ],
    "a claim that is going": [
      survey(proven, { claims: [claim(proven, true)] }),
      /will be deleted as soon as no pod uses it/,
    ],
    "what runs with another state": [
      survey(namesake, { claims: [claim(namesake)], objects: [deployment], pods: [pod] }),
      /holds a running stack 'organization\/redis-ha\/dev' that isn't in this state, with Deployment 'redis-instance-1'.*the volumes stay/,
    ],
    "somebody's object with a name of its own": [
      survey(nobody, { objects: [object("PodDisruptionBudget", "redis", nobody)] }),
      /^PodDisruptionBudget 'redis' in namespace 'redis-ha-dev' has a name that this stack uses/,
      false,
    ],
    "a Secret that cert-manager would overwrite": [
      survey(nobody, { objects: [object("Secret", "redis-ha-tls-proxy", old)] }),
      /^Secret 'redis-ha-tls-proxy'/,
      false,
    ],
    "pods that its policies would isolate": [
      survey(proven, { pods: [pod, object("Pod", "cache-0", { labels: labelled("dev") })] }),
      /^Pod 'cache-0' .* NetworkPolicies and disruption budgets would hold for it/,
    ],
  };
  for (const [name, [found, message, createNamespace = true]] of Object.entries(refused)) {
    it(name, () => {
      const problems = ownershipProblems(found, who, { ...place, createNamespace });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", message);
    });
  }

  it("but a Secret that cert-manager wrote for it is its own", () => {
    const written = object("Secret", "redis-ha-tls-proxy", {
      annotations: { "cert-manager.io/certificate-name": "redis-ha-tls-proxy" },
    });
    assert.deepEqual(ownershipProblems(survey(proven, { objects: [written] }), who, place), []);
  });
});
