import { z } from "zod";

// What settings may add to Kubernetes objects. Field names are Kubernetes' own; a word that isn't one of them is a mistake that the
// API server would drop without a word.

const dnsLabel = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be up to 63 lower-case letters, digits and dashes");
const qualifiedName = z
  .string()
  .regex(
    /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/,
    "must be a name with an optional prefix, such as example.com/team",
  );
const labelValue = z
  .string()
  .regex(
    /^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/,
    "must be up to 63 letters, digits, dots, dashes and underscores",
  );
const free = z.record(z.string(), z.json());
const quantities = z.record(z.string(), z.string());

/** What redis-ha, its provider and the API server write themselves: selectors, ownership and roll-outs hang on it. */
const ownKey =
  /^(app\.kubernetes\.io\/(name|instance|component|part-of|managed-by)$|(redis-ha|pulumi\.com|pod-security\.kubernetes\.io)\/)/;
const foreignName = qualifiedName.refine(
  (key) => !ownKey.test(key),
  "is set by redis-ha itself: use another name",
);

/** A key of a Secret; without one it is `password`. */
export const secretKey = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, "must be the name of a Secret"),
  key: z
    .string()
    .regex(/^[-._A-Za-z0-9]{1,253}$/, "must be a key of a Secret")
    .optional(),
});

/** Labels, each by key. */
export const labels = z.record(foreignName, labelValue);
/** Annotations, each by key. */
export const annotations = z.record(foreignName, z.string());
/** Labels that a node has to have. */
export const nodeSelector = z.record(qualifiedName, labelValue);

export const toleration = z
  .strictObject({
    key: qualifiedName.optional(),
    operator: z.enum(["Exists", "Equal"]).optional(),
    value: labelValue.optional(),
    effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional(),
    tolerationSeconds: z.int().min(0).optional(),
  })
  .refine(
    ({ key, operator }) => key !== undefined || operator === "Exists",
    "without a key needs the operator Exists",
  )
  .refine(
    ({ operator, value }) => operator !== "Exists" || value === undefined,
    "has a value, but the operator Exists takes none",
  )
  .refine(
    ({ key = "" }) => !/^node\.kubernetes\.io\/(not-ready|unreachable)$/.test(key),
    "is set by tolerationSeconds of the part: use that",
  );

const requirement = z.strictObject({
  key: qualifiedName,
  operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]),
  values: z.array(z.string()).optional(),
});
const nodeTerm = z.strictObject({
  matchExpressions: z.array(requirement).optional(),
  matchFields: z.array(requirement).optional(),
});
const labelSelector = z.strictObject({
  matchLabels: z.record(qualifiedName, labelValue).optional(),
  matchExpressions: z.array(requirement).optional(),
});
const podTerm = z.strictObject({
  topologyKey: qualifiedName,
  labelSelector: labelSelector.optional(),
  namespaceSelector: labelSelector.optional(),
  namespaces: z.array(dnsLabel).optional(),
  matchLabelKeys: z.array(qualifiedName).optional(),
  mismatchLabelKeys: z.array(qualifiedName).optional(),
});
const weight = z.int().min(1).max(100);
const podTerms = z.strictObject({
  requiredDuringSchedulingIgnoredDuringExecution: z.array(podTerm).optional(),
  preferredDuringSchedulingIgnoredDuringExecution: z
    .array(z.strictObject({ weight, podAffinityTerm: podTerm }))
    .optional(),
});

/** Rules beside the one that keeps a kind's pods apart. */
export const affinity = z.strictObject({
  nodeAffinity: z
    .strictObject({
      requiredDuringSchedulingIgnoredDuringExecution: z
        .strictObject({ nodeSelectorTerms: z.array(nodeTerm).min(1) })
        .optional(),
      preferredDuringSchedulingIgnoredDuringExecution: z
        .array(z.strictObject({ weight, preference: nodeTerm }))
        .optional(),
    })
    .optional(),
  podAffinity: podTerms.optional(),
  podAntiAffinity: podTerms.optional(),
});

export const variable = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be letters, digits and underscores"),
    value: z.string().optional(),
    valueFrom: z
      .partialRecord(z.enum(["configMapKeyRef", "fieldRef", "resourceFieldRef", "secretKeyRef"]), free)
      .optional(),
  })
  .refine(
    ({ value, valueFrom }) => value === undefined || valueFrom === undefined,
    "has a value and valueFrom: use one of them",
  );

/** What a volume can come from without a right of its own on the node. */
export const volumeSources = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
] as const;

export const volume = z
  .strictObject({
    name: dnsLabel,
    ...Object.fromEntries(volumeSources.map((source) => [source, free.optional()])),
  })
  .refine(
    (given) => Object.keys(given).length === 2,
    `needs exactly one source: ${volumeSources.join(", ")}`,
  );

export const mount = z.strictObject({
  name: dnsLabel,
  mountPath: z.string().regex(/^\/[^:]*$/, "must be an absolute path without a colon"),
  subPath: z.string().optional(),
  readOnly: z.boolean().optional(),
});

/** A container beside the part's own: it says all that the restricted standard doesn't say for it. */
export const container = z.strictObject({
  name: dnsLabel,
  image: z.string().min(1),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  workingDir: z.string().optional(),
  env: z.array(variable).optional(),
  ports: z
    .array(
      z.strictObject({
        name: dnsLabel.optional(),
        containerPort: z.int().min(1).max(65_535),
        protocol: z.enum(["TCP", "UDP", "SCTP"]).optional(),
      }),
    )
    .optional(),
  resources: z.strictObject({ requests: quantities.optional(), limits: quantities.optional() }).optional(),
  volumeMounts: z.array(mount).optional(),
  livenessProbe: free.optional(),
  readinessProbe: free.optional(),
  startupProbe: free.optional(),
  lifecycle: free.optional(),
  securityContext: free.optional(),
  imagePullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).optional(),
  restartPolicy: z.literal("Always").optional(),
});

const port = z.strictObject({
  port: z.union([z.int().min(1).max(65_535), z.string().min(1)]).optional(),
  endPort: z.int().min(1).max(65_535).optional(),
  protocol: z.enum(["TCP", "UDP", "SCTP"]).optional(),
});
const peer = z
  .strictObject({
    podSelector: labelSelector.optional(),
    namespaceSelector: labelSelector.optional(),
    ipBlock: z.strictObject({ cidr: z.string().min(1), except: z.array(z.string()).optional() }).optional(),
  })
  .refine(
    (given) => Object.keys(given).length > 0,
    "is empty: it needs podSelector, namespaceSelector or ipBlock",
  );
/** An absent or empty list would be everybody: whoever means that says 0.0.0.0/0. */
const peers = z.array(peer).min(1, 'must name somebody; everybody is {"ipBlock":{"cidr":"0.0.0.0/0"}}');
const parts = z
  .array(z.enum(["redis", "sentinel", "proxy"]))
  .min(1)
  .optional();
const rulePorts = z.array(port).min(1, "must name a port").optional();

/** Who may connect to the pods of `parts`, beside those who may anyway. */
export const ingressRule = z.strictObject({ parts, from: peers, ports: rulePorts });
/** Whom the pods of `parts` may connect to. */
export const egressRule = z.strictObject({ parts, to: peers, ports: rulePorts });

/** Changes of one part's objects, as JSON merge patches whose lists of named things merge by name. */
export const patches = z.strictObject({ deployment: free.optional(), service: free.optional() });
export const deploymentPatch = z.strictObject({ deployment: free.optional() });

export type Labels = Readonly<Record<string, string>>;
export type Toleration = z.output<typeof toleration>;
export type Affinity = z.output<typeof affinity>;
export type Variable = z.output<typeof variable>;
/** A volume of a pod: its name and exactly one source. */
export type ExtraVolume = { readonly name: string } & Readonly<
  Partial<Record<(typeof volumeSources)[number], JsonObject>>
>;
export type Mount = z.output<typeof mount>;
export type ExtraContainer = z.output<typeof container>;
export type IngressRule = z.output<typeof ingressRule>;
export type EgressRule = z.output<typeof egressRule>;
export type JsonObject = Readonly<Record<string, unknown>>;
/** A patch of each kind of object that a part has. */
export interface Patches {
  readonly deployment?: JsonObject | undefined;
  readonly service?: JsonObject | undefined;
}
