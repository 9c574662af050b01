import { type Container, containersOf, metadataOf, podTemplateOf } from "../../policy/kubernetes-objects.ts";
import type { StackResource } from "../../policy/rule.ts";

/** Where the images have their programs: nothing may hide them. */
const programs = ["/opt/redis-ha", "/usr/local/bin"];

/** Volumes of the part's own container alone. */
const secret = new Set<unknown>(["credentials", "tls", "tmp", "backups"]);

interface Mount {
  readonly name?: unknown;
  readonly mountPath?: string;
}

/** What in a pod gets in the way of something else in it, or of redis-ha's own. Pure. */
export function problemsOfPod(resource: StackResource, bare: StackResource): string[] {
  const template = podTemplateOf(resource);
  if (template === undefined) return [];
  const part = metadataOf(bare).labels?.["app.kubernetes.io/component"];
  const containers = containersOf(template);
  const volumes = (template.spec?.volumes ?? []).map(({ name }) => name);
  const own = containersOf(podTemplateOf(bare) ?? {}).find(({ name }) => name === part);
  return [
    ...twice("volume", volumes),
    ...twice(
      "container",
      containers.map(({ name }) => name),
    ),
    ...containers.flatMap((container) => [
      ...twice(
        `container '${container.name}': environment variable`,
        (container.env ?? []).map(({ name }) => name),
      ),
      ...twice(
        `container '${container.name}': mount at`,
        mountsOf(container).map(({ mountPath }) => mountPath),
      ),
      ...mountsOf(container)
        .filter(({ name }) => !volumes.includes(name))
        .map(
          ({ name }) =>
            `container '${container.name}' mounts '${String(name)}', but the pod has no such volume`,
        ),
      ...(container.name === part
        ? hidden(container, own)
        : mountsOf(container)
            .filter(({ name }) => secret.has(name))
            .map(
              ({ name }) =>
                `container '${container.name}' mounts '${String(name)}', which is for '${part}' alone: passwords and keys are seen by nobody else`,
            )),
    ]),
  ];
}

function mountsOf({ volumeMounts = [] }: Container): readonly Mount[] {
  return volumeMounts;
}

/** Mounts over, or in, what the part's own container has. */
function hidden(container: Container, own: Container | undefined): string[] {
  const settled = own === undefined ? [] : mountsOf(own).map(({ mountPath = "" }) => mountPath);
  const isNew = ({ mountPath }: Mount): boolean => !settled.includes(mountPath ?? "");
  return mountsOf(container)
    .filter(isNew)
    .flatMap(({ mountPath = "" }) =>
      [...settled, ...programs]
        .filter(
          (path) => contains(mountPath, path) || (!programs.includes(path) && contains(path, mountPath)),
        )
        .map((path) => `the mount at ${mountPath} gets in the way of redis-ha's own ${path}`),
    );
}

function contains(directory: string, path: string): boolean {
  return `${path}/`.startsWith(directory.endsWith("/") ? directory : `${directory}/`);
}

function twice(what: string, names: readonly unknown[]): string[] {
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))].map(
    (name) => `${what} '${String(name)}' is there twice`,
  );
}
