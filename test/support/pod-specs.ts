import { deploy } from "./deploy.ts";

/** As much of a pod as tests look at. */
export interface PodSpec {
  readonly containers: readonly {
    readonly env: readonly { readonly name: string; readonly value: string }[];
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }[];
  readonly volumes: readonly {
    readonly name: string;
    readonly persistentVolumeClaim?: { readonly claimName: string };
    readonly projected?: {
      readonly sources: readonly {
        readonly secret: {
          readonly name: string;
          readonly optional?: boolean;
          readonly items: readonly { readonly key: string; readonly path: string }[];
        };
      }[];
    };
  }[];
}

/** The pods of the Deployments that a configuration makes, by name. */
export async function podsOf(config: Record<string, string>): Promise<Map<string, PodSpec>> {
  const { resources } = await deploy(config);
  return new Map(
    resources
      .filter(({ type }) => type.endsWith(":Deployment"))
      .map(({ inputs }) => {
        const { metadata, spec } = inputs as unknown as {
          readonly metadata: { readonly name: string };
          readonly spec: { readonly template: { readonly spec: PodSpec } };
        };
        return [metadata.name, spec.template.spec];
      }),
  );
}
