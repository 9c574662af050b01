import { containersOf, isKind, metadataOf, podTemplateOf } from "../kubernetes-objects.ts";
import type { StackResource, StackRule } from "../rule.ts";

interface Claim {
  readonly claimName?: unknown;
  readonly readOnly?: boolean;
}

/**
 * The volume that redis-ha mounts for backups (no setting can use its name): every instance writes there, each object whole, in one step and with a
 * name of its own.
 */
const backups = "backups";

/** What two programs write to one volume, neither can read again. */
export const oneWriterOfAClaim: StackRule = {
  name: "one-writer-of-a-claim",
  description: "One container writes to a volume claim; whoever else mounts it reads it only.",
  check(resources) {
    const writers = resources.filter((resource) => isKind(resource, "Deployment")).flatMap(writersOf);
    return [...Map.groupBy(writers, ({ claim }) => claim).values()].flatMap((those) =>
      those.slice(1).map(({ resource, container, claim }) => ({
        resource,
        message: `container '${container}' would be a second writer of the claim '${claim.split("/").at(-1)}': mount it with readOnly`,
      })),
    );
  },
};

function writersOf(resource: StackResource): { resource: StackResource; container: string; claim: string }[] {
  const template = podTemplateOf(resource);
  if (template === undefined) return [];
  const namespace = metadataOf(resource).namespace ?? "";
  const claims = new Map(
    (template.spec?.volumes ?? []).flatMap((volume): [unknown, string][] => {
      const claim = volume.persistentVolumeClaim as Claim | undefined;
      return claim === undefined || claim.readOnly === true || volume.name === backups
        ? []
        : [[volume.name, `${namespace}/${String(claim.claimName)}`]];
    }),
  );
  return containersOf(template).flatMap((container) => {
    const written = (container.volumeMounts ?? [])
      .filter(({ readOnly }) => readOnly !== true)
      .flatMap(({ name }) => claims.get(name) ?? []);
    return [...new Set(written)].map((claim) => ({ resource, container: container.name ?? "", claim }));
  });
}
