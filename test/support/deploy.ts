import * as pulumi from "@pulumi/pulumi";

/** One resource that the program registered, with its inputs as plain values. */
export interface Registration {
  readonly type: string;
  /** Without the component's, with which the names of all its parts begin. */
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  readonly provider: string | undefined;
}

/** What the program did under mocks. */
export interface Deployment {
  readonly resources: readonly Registration[];
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Names of the outputs that are secret. */
  readonly secretOutputs: readonly string[];
}

/** The password that the mocked RandomPassword gives. Nothing but a Secret's data may contain it. */
export const mockPassword = "mock-password-that-must-not-leak";

/** The number of the installation that the mocked RandomUuid gives. */
export const mockInstallation = "00000000-0000-4000-8000-000000000000";

/** What the mocked keys begin with. */
export const mockKey = "mock-key-that-must-not-leak";

let runs = 0;

/**
 * Runs the whole program under Pulumi's mocks and waits until every resource is registered.
 *
 * @param config configuration, `namespace:key` → text.
 * @throws what the program throws, so that a refused configuration can be asserted.
 */
export async function deploy(
  config: Record<string, string>,
  {
    stack = "test",
    preview = false,
    secretKeys = [],
  }: { stack?: string; preview?: boolean; secretKeys?: string[] } = {},
): Promise<Deployment> {
  const resources: Registration[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name: fullName, inputs, provider }) => {
        const name = withoutComponent(fullName);
        if (type !== "pulumi:pulumi:Stack")
          resources.push({ type, name, inputs, provider: providerName(provider) });
        return { id: `${name}-id`, state: { ...inputs, ...computed(type, name, inputs) } };
      },
      call: ({ token }) => {
        throw new Error(`the program called ${token}: it must not ask anything of a cluster`);
      },
    },
    "redis-ha",
    stack,
    preview,
    "organization",
  );
  pulumi.runtime.setAllConfig(config, secretKeys);
  // The query makes a new module instance: the program runs again, its components are loaded once.
  const program = `../../index.ts?run=${++runs}`;
  const exported = (await import(program)) as Record<string, unknown>;
  await pulumi.runtime.disconnect();

  const outputs: Record<string, unknown> = {};
  const secretOutputs: string[] = [];
  for (const [name, value] of Object.entries(exported)) {
    if (pulumi.Output.isInstance(value) && (await pulumi.isSecret(value))) secretOutputs.push(name);
    outputs[name] = await plain(value);
  }
  return { resources, outputs, secretOutputs };
}

/** The outputs that a provider computes and the program reads. */
export function computed(
  type: string,
  name: string,
  inputs: Record<string, unknown>,
): Record<string, unknown> {
  const metadata = inputs.metadata as { name?: string } | undefined;
  if (type === "kubernetes:core/v1:Secret") return { metadata: { ...metadata, name: `${name}-1a2b3c4d` } };
  if (type === "random:index/randomPassword:RandomPassword") return { result: mockPassword };
  if (type === "random:index/randomUuid:RandomUuid") return { result: mockInstallation };
  if (type === "tls:index/privateKey:PrivateKey") return { privateKeyPem: `${mockKey} of ${name}` };
  if (type === "tls:index/certRequest:CertRequest") return { certRequestPem: `request of ${name}` };
  if (type.startsWith("tls:index/")) return { certPem: `certificate of ${name}\n` };
  if (type === "docker:index/image:Image") {
    return { repoDigest: `${String(inputs.imageName).replace(/:[^:/]+$/, "")}@sha256:${"0".repeat(64)}` };
  }
  if (type === "kubernetes:core/v1:Service") {
    const spec = inputs.spec as Record<string, unknown>;
    return { spec: { clusterIP: `ip-of-${metadata?.name}`, ...spec } };
  }
  return {};
}

function withoutComponent(name: string): string {
  return name.replace(/^redis-ha-/, "");
}

/** `cluster` of `urn:…::pulumi:providers:kubernetes::cluster::id`. */
function providerName(reference: string | undefined): string | undefined {
  const name = reference?.split("::").at(-2);
  return name && withoutComponent(name);
}

/** The value of an output; undefined for one that isn't known, as in a preview. */
async function plain(value: unknown): Promise<unknown> {
  if (!pulumi.Output.isInstance(value)) return value;
  const { isKnown } = value as unknown as { readonly isKnown: Promise<boolean> };
  if (!(await isKnown)) return undefined;
  return new Promise((resolve) => {
    value.apply(resolve);
  });
}
