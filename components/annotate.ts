import * as pulumi from "@pulumi/pulumi";

/** Options by which every Kubernetes object of a component gets annotations; those that it has itself win. */
export function withAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  opts: pulumi.ComponentResourceOptions = {},
): pulumi.ComponentResourceOptions {
  if (annotations === undefined) return opts;
  const annotate: pulumi.ResourceTransformation = ({ type, props, opts: own }) => {
    if (!type.startsWith("kubernetes:") || props.metadata === undefined) return undefined;
    const metadata = { ...props.metadata, annotations: { ...annotations, ...props.metadata.annotations } };
    return { props: { ...props, metadata }, opts: own };
  };
  return pulumi.mergeOptions(opts, { transformations: [annotate] });
}
