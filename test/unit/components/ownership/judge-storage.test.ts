import assert from "node:assert/strict";
import { classProblems, storageProblems } from "../../../../components/ownership/judge-storage.ts";
import { emptySurvey, type FoundClaim } from "../../../../components/ownership/survey.ts";

const claim: FoundClaim = {
  name: "pvc-redis-instance-1",
  terminating: false,
  bound: true,
  request: "2Gi",
  capacity: "2Gi",
  storageClass: "standard",
  accessModes: ["ReadWriteOnce"],
  others: { labels: {}, annotations: {} },
};

function problems(
  storage: string,
  found: Partial<FoundClaim> = {},
  expandable: ReadonlyMap<string, boolean> = new Map([["standard", true]]),
): string[] {
  const claims = [1, 2].map((i) => ({ ...claim, ...found, name: `pvc-redis-instance-${i}` }));
  const wanted = [1, 2, 3].map((i) => ({
    name: `pvc-redis-instance-${i}`,
    storage,
    setting: "redis:storage" as const,
  }));
  return storageProblems({ ...emptySurvey, claims, expandable }, wanted);
}

describe("the size of a volume", () => {
  it("may stay, in whatever words, and grow where its class lets it", () => {
    assert.deepEqual(problems("2Gi"), []);
    assert.deepEqual(problems("2048Mi"), []);
    assert.deepEqual(problems("3Gi"), []);
    assert.deepEqual(problems("1Gi", { request: undefined }), []);
    assert.deepEqual(problems("3Gi", {}, new Map()), [], "a class that may not be read");
  });

  it("can't shrink", () => {
    assert.deepEqual(problems("1Gi"), [
      "Configuration 'redis:storage' is 1Gi but PersistentVolumeClaim 'pvc-redis-instance-1', 'pvc-redis-instance-2' has 2Gi, and a volume can't shrink: keep its size (pulumi config set redis:storage 2Gi).",
    ]);
  });

  it("may take back a growth that didn't happen, down to more than it has", () => {
    assert.deepEqual(problems("2Gi", { request: "9Gi", capacity: "1Gi" }), []);
    assert.match(problems("1Gi", { request: "9Gi", capacity: "1Gi" }).join(), /can't shrink/);
  });

  it("can't grow before it is bound, without a class, or by a class that doesn't let it", () => {
    assert.match(problems("3Gi", { bound: false }).join(), /isn't bound .*config set redis:storage 2Gi/);
    assert.match(problems("3Gi", { storageClass: "" }).join(), /no StorageClass/);
    assert.match(
      problems("3Gi", {}, new Map([["standard", false]])).join(),
      /'standard' doesn't let volumes grow: keep its size \(pulumi config set redis:storage 2Gi\), or allow it/,
    );
  });
});

describe("the class of a volume", () => {
  const wanted = (storageClass: string | undefined) =>
    [1, 2, 3].map((i) => ({
      ...{ name: `pvc-redis-instance-${i}`, storage: "2Gi", storageClass },
      setting: "redis:storage" as const,
    }));
  const claims = [1, 2].map((i) => ({ ...claim, name: `pvc-redis-instance-${i}` }));

  it("stays: a claim can't change it, and what isn't there yet has none", () => {
    assert.deepEqual(classProblems({ claims }, wanted("standard")), []);
    assert.deepEqual(
      classProblems({ claims }, wanted(undefined)),
      [],
      "the cluster's default may be another now",
    );
    assert.deepEqual(classProblems({ claims: [] }, wanted("fast")), []);
    const [problem = "", ...more] = classProblems({ claims }, wanted("fast"));
    assert.deepEqual(more, []);
    assert.match(
      problem,
      /^Configuration 'redis:storageClass' is fast but PersistentVolumeClaim 'pvc-redis-instance-1', 'pvc-redis-instance-2' has the StorageClass 'standard', and a claim can't change it: keep it \(pulumi config set redis:storageClass standard\), or move/,
    );
  });
});
