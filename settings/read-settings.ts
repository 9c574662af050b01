import * as pulumi from "@pulumi/pulumi";
import type { ImagesArgs, RedisHaArgs } from "./args.ts";
import { parseSettings } from "./parse-settings.ts";
import { type ResolveOptions, resolveSettings, type Settings } from "./resolve-settings.ts";
import { SettingsError } from "./settings-error.ts";

/** The configuration of the running stack, checked. */
export interface StackConfiguration {
  readonly settings: Settings;
  /** The same as arguments of the component, which knows nothing of what is built. */
  readonly args: Omit<RedisHaArgs, "images"> & { readonly images: Omit<ImagesArgs, "sentinel" | "proxy"> };
}

/**
 * Reads the configuration of the running stack: the only place that asks Pulumi for it.
 *
 * @param objects what is wrong with the objects that the settings make.
 * @throws {pulumi.RunError} that lists every mistake, before any resource is declared.
 */
export function readConfiguration(objects: NonNullable<ResolveOptions["objects"]>): StackConfiguration {
  const raw = pulumi.runtime.allConfig();
  const secretKeys = new Set(Object.keys(raw).filter(isSecret));
  try {
    const settings = resolveSettings(raw, pulumi.getStack(), secretKeys, { objects });
    const { "redis-ha": own, images, ...groups } = parseSettings(raw, []);
    return {
      settings,
      args: { ...own, ...groups, images: { pullSecret: images.pullSecret, pullPolicy: images.pullPolicy } },
    };
  } catch (error) {
    // A RunError is shown as its text alone, without the stack trace of this program.
    if (error instanceof SettingsError) throw new pulumi.RunError(error.message);
    throw error;
  }
}

/** Whether a value was set with `--secret`. The SDK knows it, but doesn't declare how to ask. */
function isSecret(key: string): boolean {
  const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret(key: string): boolean };
  return isConfigSecret(key);
}
