import * as pulumi from "@pulumi/pulumi";
import packageJson from "../package.json" with { type: "json" };
import type { Settings } from "../settings/resolve-settings.ts";
import type { BundleContext } from "./bundle.ts";

/** An image that pods can run. */
export interface ImageReference {
  /** What a pod's `image` says: a digest for a pushed image. */
  readonly reference: pulumi.Input<string>;
  /**
   * Changes whenever the image does. Only an image that isn't pushed needs it, as a pod annotation: its reference stays
   * the same after a new build.
   */
  readonly revision?: pulumi.Input<string>;
}

type ImageName = "sentinel" | "proxy";

const contexts: Readonly<Record<ImageName, BundleContext>> = {
  sentinel: { directory: "sentinel-image", programs: ["redis", "sentinel"] },
  proxy: { directory: "proxy", programs: ["main"] },
};

/**
 * The two images: built and pushed, or prebuilt ones from the configuration. A stack with two prebuilt images loads
 * neither the bundler nor the Docker provider, so it needs no Docker daemon.
 */
export async function resolveImages(
  settings: Settings["images"],
): Promise<Record<ImageName, ImageReference>> {
  return {
    sentinel: await resolveImage("sentinel", settings),
    proxy: await resolveImage("proxy", settings),
  };
}

async function resolveImage(name: ImageName, settings: Settings["images"]): Promise<ImageReference> {
  const prebuilt = settings[name];
  if (prebuilt !== undefined) return { reference: prebuilt };

  const context = contexts[name];
  const { bundlePrograms } = await import("./bundle.ts");
  bundlePrograms(context);

  const docker = await import("@pulumi/docker");
  const { registry, push, platform, redisBase, nodeBase } = settings;
  const image = new docker.Image(`${name}-image`, {
    imageName: `${registry === undefined ? "" : `${registry}/`}redis-ha-${name}:${packageJson.version}`,
    skipPush: !push,
    build: {
      context: context.directory,
      dockerfile: `${context.directory}/Dockerfile`,
      platform,
      args: {
        ...(name === "sentinel" && redisBase !== undefined ? { REDIS_IMAGE: redisBase } : {}),
        ...(nodeBase !== undefined ? { NODE_IMAGE: nodeBase } : {}),
      },
    },
  });
  return push
    ? { reference: image.repoDigest }
    : { reference: image.imageName, revision: pulumi.output(image.repoDigest) };
}
