import * as pulumi from "@pulumi/pulumi";
import { resolveSettings, type Settings } from "./settings/resolve-settings.ts";
import { SettingsError } from "./settings/settings-error.ts";

/**
 * The settings of the running stack: the only place that reads Pulumi's configuration.
 *
 * @throws {pulumi.RunError} that lists every mistake, before any resource is declared.
 */
export function readSettings(): Settings {
  try {
    return Object.freeze(resolveSettings(pulumi.runtime.allConfig(), pulumi.getStack()));
  } catch (error) {
    // A RunError is shown as its text alone, without the stack trace of this program.
    if (error instanceof SettingsError) throw new pulumi.RunError(error.message);
    throw error;
  }
}
