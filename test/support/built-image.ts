import assert from "node:assert/strict";

const accept =
  "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";

/** An image that the cluster's registry has from an earlier deployment, by its digest. */
export async function builtImage(name: "proxy" | "sentinel"): Promise<string> {
  const registry = process.env.TEST_REGISTRY ?? "";
  const repository = `redis-ha-${name}`;
  const found = await fetch(`http://${registry}/v2/${repository}/manifests/0.1.0`, {
    method: "HEAD",
    headers: { accept },
  });
  const digest = found.headers.get("docker-content-digest");
  assert.ok(
    digest,
    `the registry ${registry} has no ${repository}:0.1.0 (${found.status}): deploy another stack first`,
  );
  return `${registry}/${repository}@${digest}`;
}
