import { type Properties, unknownValue } from "../provider-program.ts";

/** Fields that only the API server writes. */
const readOnlyMetadata = [
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
];

/** Inputs as the API server keeps them: without what is empty, and a Secret's `stringData`, which is write-only, as `data`. */
export function normalizeInputs(given: Properties): Properties {
  if (hasUnknown(given)) return given;
  const inputs = withoutEmpty(given) as Properties;
  const { stringData, ...others } = inputs;
  const metadata = Object.fromEntries(
    Object.entries((inputs.metadata ?? {}) as Properties).filter(([key]) => !readOnlyMetadata.includes(key)),
  );
  const normalized = inputs.kind === "Secret" && stringData !== undefined ? others : { ...inputs };
  if (inputs.kind === "Secret" && stringData !== undefined) {
    const encoded = Object.entries(stringData as Record<string, string>).map(([key, text]) => [
      key,
      Buffer.from(text).toString("base64"),
    ]);
    normalized.data = { ...(others.data as Properties | undefined), ...Object.fromEntries(encoded) };
  }
  return inputs.metadata === undefined ? normalized : { ...normalized, metadata };
}

/** Of a live object what has a counterpart in the inputs: what clusters add by themselves is no difference. */
export function pruneLive(live: unknown, inputs: unknown): unknown {
  if (Array.isArray(live) && Array.isArray(inputs)) {
    return inputs.slice(0, live.length).map((input, i) => pruneLive(live[i], input));
  }
  if (!isObject(live) || !isObject(inputs)) return live;
  return Object.fromEntries(
    Object.entries(live)
      .filter(([key]) => Object.hasOwn(inputs, key))
      .map(([key, value]) => [key, pruneLive(value, inputs[key])]),
  );
}

/** Without empty texts and lists, which the API server leaves out of everything but maps of texts. */
function withoutEmpty(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutEmpty(item));
  if (!isObject(value) || textMaps.has(key)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== "" && !(Array.isArray(item) && item.length === 0))
      .map(([name, item]) => [name, withoutEmpty(item, name)]),
  );
}

const textMaps: ReadonlySet<string> = new Set(["annotations", "data", "labels", "matchLabels", "stringData"]);

/** What a live object has of the inputs, in their form: `stringData` stays that, so that the engine keeps it as a secret. */
export function inputsFrom(live: Properties, inputs: Properties): Properties {
  const pruned = pruneLive(live, normalizeInputs(inputs)) as Properties;
  const stringData = inputs.stringData as Properties | undefined;
  if (live.kind !== "Secret" || stringData === undefined) return pruned;
  const data = Object.entries((pruned.data ?? {}) as Record<string, string>);
  const isText = ([key]: [string, string]): boolean => Object.hasOwn(stringData, key);
  const texts = data
    .filter(isText)
    .map(([key, value]) => [key, Buffer.from(value, "base64").toString()] as const);
  const others = data.filter((entry) => !isText(entry));
  const { data: _data, ...rest } = pruned;
  return {
    ...rest,
    ...(others.length > 0 ? { data: Object.fromEntries(others) } : {}),
    stringData: Object.fromEntries(texts),
  };
}

/** Whether a preview doesn't know some value yet. */
export function hasUnknown(value: unknown): boolean {
  if (value === unknownValue) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isObject(value) && Object.values(value).some(hasUnknown);
}

function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
