// STAND-IN for the provider plugin `docker`, as far as redis-ha uses it: Image.
import { join } from "node:path";
import packageJson from "@pulumi/docker/package.json" with { type: "json" };
import { execa } from "execa";
import { compare, type Properties, type ProviderProgram, unknownValue } from "../provider-program.ts";
import { serveProvider } from "../serve.ts";
import { hashContext } from "./context-hash.ts";

interface BuildInputs {
  readonly context?: string;
  readonly dockerfile?: string;
  readonly platform?: string;
  readonly target?: string;
  readonly args?: Record<string, string>;
  /** Added by check: changes whenever a file does that the build can see. */
  readonly contextDigest?: string;
}

const supported = "docker:index/image:Image";
let host: string | undefined;

const program: ProviderProgram = {
  version: packageJson.version,
  configure: ({ host: configured }) => {
    host = configured === undefined ? undefined : String(configured);
  },
  check: async ({ type }, news) => {
    if (type !== supported)
      throw new Error(`this stand-in for the provider 'docker' knows ${supported} only, not ${type}`);
    await docker(["version", "--format", "{{.Server.Version}}"]);
    const build = (news.build ?? {}) as BuildInputs;
    const context = build.context ?? ".";
    const dockerfile = build.dockerfile ?? join(context, "Dockerfile");
    const failures =
      news.skipPush === true || isCanonical(String(news.imageName))
        ? []
        : [
            {
              property: "imageName",
              reason: `repository name must be canonical: '${news.imageName}' names no registry`,
            },
          ];
    return {
      inputs: {
        ...news,
        build: { ...build, context, dockerfile, contextDigest: hashContext(context, dockerfile) },
      },
      failures,
    };
  },
  diff: async (_resource, oldInputs, news) => ({
    changes: compare(oldInputs, news).map((change) => ({ ...change, replaces: false })),
    deleteBeforeReplace: false,
  }),
  create: async (_resource, inputs, { preview }) => ({
    id: preview ? "" : String(inputs.imageName),
    outputs: preview ? { ...inputs, repoDigest: unknownValue } : await buildAndPush(inputs),
  }),
  update: async (_resource, _id, _old, news, { preview }) => ({
    outputs: preview ? { ...news, repoDigest: unknownValue } : await buildAndPush(news),
  }),
  read: async (_resource, id, inputs, outputs) => ({ id, inputs, outputs }),
  // As the genuine one: images stay where they are.
  delete: async () => undefined,
};

async function buildAndPush(inputs: Properties): Promise<Properties> {
  const imageName = String(inputs.imageName);
  const {
    context = ".",
    dockerfile = "Dockerfile",
    platform,
    target,
    args = {},
  } = inputs.build as BuildInputs;
  await docker([
    "build",
    ...["--quiet", "--tag", imageName, "--file", dockerfile],
    ...(platform === undefined ? [] : ["--platform", platform]),
    ...(target === undefined ? [] : ["--target", target]),
    ...Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    context,
  ]);
  if (inputs.skipPush === true) {
    const id = await docker(["image", "inspect", "--format", "{{.Id}}", imageName]);
    return { ...inputs, baseImageName: imageName, repoDigest: id };
  }
  await docker(["push", "--quiet", imageName]);
  const digests = JSON.parse(
    await docker(["image", "inspect", "--format", "{{json .RepoDigests}}", imageName]),
  ) as string[];
  const repository = imageName.replace(/:[^:/]+$/, "");
  const repoDigest = digests.find((digest) => digest.startsWith(`${repository}@`));
  if (repoDigest === undefined) throw new Error(`the registry gave no digest for ${imageName}`);
  return { ...inputs, baseImageName: imageName, repoDigest };
}

/** The first part of the name is a host: it has a dot or a port, or is localhost. */
function isCanonical(imageName: string): boolean {
  const [first = "", ...rest] = imageName.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
}

async function docker(args: readonly string[]): Promise<string> {
  const result = await execa("docker", args, {
    // The classic builder: buildx isn't part of every Docker.
    env: { DOCKER_BUILDKIT: "0", ...(host === undefined ? {} : { DOCKER_HOST: host }) },
    reject: false,
    stdin: "ignore",
  });
  if (result.exitCode !== 0)
    throw new Error(`docker ${args[0]} failed: ${result.stderr || result.shortMessage}`);
  return result.stdout.trim();
}

await serveProvider(program);
