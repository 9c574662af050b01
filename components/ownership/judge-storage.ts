import { parseQuantity } from "../../runtime/quantity.ts";
import type { WantedClaim } from "./fixed-names.ts";
import type { FoundClaim, Survey } from "./survey.ts";

/**
 * The sizes that the cluster would refuse, half-way through an update. A claim never shrinks, but may take back a growth that
 * has not happened: Kubernetes compares with what the volume has (ValidatePersistentVolumeClaimUpdate in pkg/apis/core/validation).
 * It grows when it is bound, by a StorageClass that allows it. Pure.
 */
export function storageProblems({ claims, expandable }: Survey, wanted: readonly WantedClaim[]): string[] {
  const found = new Map(claims.map((claim) => [claim.name, claim]));
  const refused = wanted.flatMap((want) => {
    const claim = found.get(want.name);
    const reason = claim && refusal(claim, want, expandable);
    return reason === undefined ? [] : [{ ...want, reason }];
  });
  const groups = Map.groupBy(refused, ({ setting, storage, reason }) => `${setting} ${storage} ${reason}`);
  return [...groups.values()].map((group) => {
    const [{ setting, storage, reason }] = group as [(typeof group)[number]];
    const names = group.map(({ name }) => `'${name}'`).join(", ");
    return `Configuration '${setting}' is ${storage} but PersistentVolumeClaim ${names} ${reason}`.replaceAll(
      "<setting>",
      setting,
    );
  });
}

function refusal(
  { request, capacity, bound, storageClass }: FoundClaim,
  { storage }: WantedClaim,
  expandable: ReadonlyMap<string, boolean>,
): string | undefined {
  const [has, wants] = [parseQuantity(request ?? ""), parseQuantity(storage)];
  if (has === undefined || wants === undefined || has === wants) return undefined;
  const keep = `keep its size (pulumi config set <setting> ${request})`;
  if (wants < has) {
    const grown = parseQuantity(capacity ?? "");
    if (grown !== undefined && wants > grown) return undefined;
    return `has ${request}, and a volume can't shrink: ${keep}.`;
  }
  if (!bound) return `has ${request} and isn't bound to a volume yet, so it can't grow: ${keep} until it is.`;
  if (!storageClass) return `has ${request} and no StorageClass, so it can't grow: ${keep}.`;
  if (expandable.get(storageClass) === false) {
    return `has ${request} and its StorageClass '${storageClass}' doesn't let volumes grow: ${keep}, or allow it where the driver can (kubectl patch storageclass ${storageClass} --patch '{"allowVolumeExpansion":true}').`;
  }
  return undefined;
}

/** A claim can't change its class: what is there keeps it, whatever the setting says. Pure. */
export function classProblems({ claims }: Pick<Survey, "claims">, wanted: readonly WantedClaim[]): string[] {
  const found = new Map(claims.map((claim) => [claim.name, claim.storageClass]));
  const others = wanted.flatMap(({ name, storageClass }) => {
    const has = found.get(name);
    return !has || storageClass === undefined || has === storageClass ? [] : [{ name, has, storageClass }];
  });
  return [...Map.groupBy(others, ({ has }) => has).values()].map((group) => {
    const [{ has, storageClass }] = group as [(typeof group)[number]];
    const names = group.map(({ name }) => `'${name}'`).join(", ");
    return `Configuration 'redis:storageClass' is ${storageClass} but PersistentVolumeClaim ${names} has the StorageClass '${has}', and a claim can't change it: keep it (pulumi config set redis:storageClass ${has}), or move the volumes one by one first (docs/operations.md, Another StorageClass).`;
  });
}
