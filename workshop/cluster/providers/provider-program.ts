/** Properties of a resource as plain JSON. */
export type Properties = Record<string, unknown>;

/** What the engine sends in place of a value that is not known during a preview. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Which resource a call is about. */
export interface ResourceName {
  readonly urn: string;
  /** `kubernetes:core/v1:Service` */
  readonly type: string;
  readonly name: string;
}

/** One difference between the old and the new inputs. */
export interface PropertyChange {
  /** `spec.replicas`, `spec.ports[0].port` */
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  /** The change is only possible by a new resource. */
  readonly replaces: boolean;
}

/** Circumstances of a create or update. */
export interface OperationOptions {
  /** Nothing may be changed; unknown outputs are {@link unknownValue}. */
  readonly preview: boolean;
  /** `customTimeouts` of the resource in seconds; 0 for the provider's own. */
  readonly timeoutSeconds: number;
}

/** A resource provider, as far as these stand-ins need it. Secrets are kept by the engine, not here. */
export interface ProviderProgram {
  readonly version: string;
  configure?(configuration: Properties): void;
  /** The user wants Pulumi to stop: what is waited for is waited for no longer. */
  cancel?(): void;
  /** Completes and validates inputs. */
  check(
    resource: ResourceName,
    news: Properties,
    olds: Properties,
  ): Promise<{ inputs: Properties; failures?: { property: string; reason: string }[] }>;
  diff(
    resource: ResourceName,
    oldInputs: Properties,
    news: Properties,
    oldOutputs: Properties,
  ): Promise<{ changes: PropertyChange[]; deleteBeforeReplace: boolean }>;
  create(
    resource: ResourceName,
    inputs: Properties,
    options: OperationOptions,
  ): Promise<{ id: string; outputs: Properties }>;
  update(
    resource: ResourceName,
    id: string,
    oldOutputs: Properties,
    news: Properties,
    options: OperationOptions,
  ): Promise<{ outputs: Properties }>;
  /** Undefined: the resource is gone. */
  read(
    resource: ResourceName,
    id: string,
    inputs: Properties,
    outputs: Properties,
  ): Promise<{ id: string; inputs: Properties; outputs: Properties } | undefined>;
  delete(resource: ResourceName, id: string, outputs: Properties, options: OperationOptions): Promise<void>;
}

/** The resource exists but didn't get ready: the engine keeps it in the state and shows the reasons. */
export class InitializationFailure extends Error {
  override readonly name = "InitializationFailure";
  readonly id: string;
  readonly outputs: Properties;
  readonly reasons: readonly string[];
  /** What a read found of the inputs; undefined for a create or update. */
  readonly inputs: Properties | undefined;

  constructor(id: string, outputs: Properties, reasons: readonly string[], inputs?: Properties) {
    super(reasons.join("\n"));
    this.inputs = inputs;
    this.id = id;
    this.outputs = outputs;
    this.reasons = reasons;
  }
}

/** `urn:pulumi:dev::redis-ha::redis-ha:index:Volumes$kubernetes:core/v1:Namespace::namespace` → type and name. */
export function parseUrn(urn: string): ResourceName {
  const [, , types = "", ...name] = urn.split("::");
  return { urn, type: types.slice(types.lastIndexOf("$") + 1), name: name.join("::") };
}

/** All differences between two values, by path. Absent and null are the same. */
export function compare(old: unknown, now: unknown, path = ""): Omit<PropertyChange, "replaces">[] {
  if (now === unknownValue || old === unknownValue) return [{ path, kind: "update" }];
  const isMissing = (value: unknown): boolean => value === undefined || value === null;
  if (isMissing(old) && isMissing(now)) return [];
  if (isMissing(old)) return [{ path, kind: "add" }];
  if (isMissing(now)) return [{ path, kind: "delete" }];
  if (Array.isArray(old) && Array.isArray(now)) {
    return Array.from({ length: Math.max(old.length, now.length) }, (_, i) =>
      compare(old[i], now[i], `${path}[${i}]`),
    ).flat();
  }
  if (typeof old === "object" && typeof now === "object" && !Array.isArray(old) && !Array.isArray(now)) {
    const [before, after] = [old as Properties, now as Properties];
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) => {
      const step = /^[A-Za-z_]\w*$/.test(key) ? (path === "" ? key : `.${key}`) : `["${key}"]`;
      return compare(before[key], after[key], path + step);
    });
  }
  return old === now ? [] : [{ path, kind: "update" }];
}
