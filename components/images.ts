import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import packageJson from "../package.json" with { type: "json" };
import type { ImagesArgs } from "../settings/args.ts";
import type { Settings } from "../settings/resolve-settings.ts";
import type { BundleContext } from "./bundle.ts";
import type { ImageReference } from "./pod.ts";

type ImageName = "sentinel" | "proxy";

const contexts: Readonly<Record<ImageName, BundleContext>> = {
  sentinel: { directory: "sentinel-image", programs: ["redis", "sentinel"] },
  proxy: { directory: "proxy", programs: ["main"] },
};

/**
 * The two images: built and pushed, or prebuilt ones from the configuration. A stack with two prebuilt images loads
 * neither the bundler nor the Docker provider, so it needs no Docker daemon.
 */
export async function resolveImages(settings: Settings["images"]): Promise<Omit<ImagesArgs, "pullSecret">> {
  const sentinel = await resolveImage("sentinel", settings);
  const proxy = await resolveImage("proxy", settings);
  return {
    sentinel: sentinel.reference,
    ...(sentinel.revision === undefined ? {} : { sentinelRevision: sentinel.revision }),
    proxy: proxy.reference,
    ...(proxy.revision === undefined ? {} : { proxyRevision: proxy.revision }),
  };
}

async function resolveImage(name: ImageName, settings: Settings["images"]): Promise<ImageReference> {
  const prebuilt = settings[name];
  if (prebuilt !== undefined) return { reference: prebuilt };

  const context = contexts[name];
  const { bundlePrograms } = await import("./bundle.ts");
  bundlePrograms(context);

  const docker = await import("@pulumi/docker");
  const { registry, push, platform, nodeBase } = settings;
  const serverBase = name === "sentinel" ? baseOf(settings, context.directory) : undefined;
  const image = new docker.Image(`${name}-image`, {
    imageName: `${registry === undefined ? "" : `${registry}/`}redis-ha-${name}:${packageJson.version}`,
    skipPush: !push,
    build: {
      context: context.directory,
      dockerfile: `${context.directory}/Dockerfile`,
      platform,
      args: {
        ...(serverBase === undefined ? {} : { REDIS_IMAGE: serverBase }),
        ...(nodeBase !== undefined ? { NODE_IMAGE: nodeBase } : {}),
      },
    },
  });
  return push
    ? { reference: image.repoDigest }
    : { reference: image.imageName, revision: pulumi.output(image.repoDigest) };
}

/** The base image with the engine's server; undefined: the one with which the Dockerfile begins. */
export function baseOf(
  { engine, redisBase }: Pick<Settings["images"], "engine" | "redisBase">,
  directory: string,
): string | undefined {
  if (redisBase !== undefined || engine === "redis") return redisBase;
  const pinned = /^ARG VALKEY_IMAGE=(\S+)$/m.exec(readFileSync(join(directory, "Dockerfile"), "utf8"))?.[1];
  if (pinned === undefined) throw new Error(`${directory}/Dockerfile names no base image of Valkey`);
  return pinned;
}
