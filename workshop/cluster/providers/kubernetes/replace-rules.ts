import { compare, type Properties, type PropertyChange } from "../provider-program.ts";
import { autonamed } from "./naming.ts";

/** Paths whose change needs a new object, as in the genuine provider. */
const replacing: Readonly<Record<string, readonly RegExp[]>> = {
  ConfigMap: [/^data\b/, /^binaryData\b/],
  Secret: [/^data\b/, /^stringData\b/, /^type$/],
  Deployment: [/^spec\.selector\b/],
  StatefulSet: [
    /^spec\.(selector|serviceName|podManagementPolicy|revisionHistoryLimit|volumeClaimTemplates)\b/,
  ],
  Service: [/^spec\.clusterIP$/],
  PersistentVolumeClaim: [/^spec\.(accessModes|storageClassName|volumeName|selector)\b/],
  Job: [/^spec\.(completions|parallelism|selector|template)\b/],
};
/** What needs a new Secret when the others' changes are written into the one that is there. */
const replacingMutableSecret = [/^type$/];
const replacingEverywhere = [/^metadata\.(name|namespace)$/, /^(apiVersion|kind)$/];

/** Differences of two objects, each with whether it replaces the object. */
export function diffObjects(
  kind: string,
  old: Properties,
  now: Properties,
  { secretsMutable }: { readonly secretsMutable: boolean },
): PropertyChange[] {
  const mutable = secretsMutable && now.immutable !== true;
  const own = kind === "Secret" && mutable ? replacingMutableSecret : (replacing[kind] ?? []);
  const rules = [...replacingEverywhere, ...own];
  return compare(old, now).map((change) => ({
    ...change,
    replaces: rules.some((rule) => rule.test(change.path)),
  }));
}

/** Two objects with one name can't exist: one with a given name goes before its successor comes. */
export function deletesFirst(old: Properties, now: Properties): boolean {
  const metadata = (now.metadata ?? {}) as { name?: string; namespace?: string; annotations?: Properties };
  const before = (old.metadata ?? {}) as { name?: string; namespace?: string };
  return (
    metadata.annotations?.[autonamed] !== "true" &&
    metadata.name === before.name &&
    metadata.namespace === before.namespace
  );
}
