import * as pulumi from "@pulumi/pulumi";
import { resolveSettings, type Settings } from "./settings/resolve-settings.ts";
import { SettingsError } from "./settings/settings-error.ts";

/**
 * The settings of the running stack: the only place that reads Pulumi's configuration.
 *
 * @throws {pulumi.RunError} that lists every mistake, before any resource is declared.
 */
export function readSettings(): Settings {
  const raw = pulumi.runtime.allConfig();
  const secretKeys = new Set(Object.keys(raw).filter(isSecret));
  try {
    return Object.freeze(resolveSettings(raw, pulumi.getStack(), secretKeys));
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
