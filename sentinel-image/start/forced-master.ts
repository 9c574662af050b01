import { existsSync, readFileSync } from "node:fs";
import { type Address, formatAddress } from "../../runtime/address.ts";
import { replaceFile } from "../../runtime/replace-file.ts";

/**
 * Whether an operator has ordered this instance to become master whatever the Sentinels say: `HA_FORCE_MASTER` is
 * `<instance>:<word>`, with the instance's name or address and any word. Each order counts once, so that one that was left
 * in the environment does no harm at a later start; the last one is remembered on the volume.
 */
export function takeForcedMaster(order: string | undefined, self: Address, file: string): boolean {
  const [, instance] = /^(.+):([^:]+)$/.exec(order ?? "") ?? [];
  if (order === undefined || (instance !== self.host && instance !== formatAddress(self))) return false;
  if (existsSync(file) && readFileSync(file, "utf8") === order) return false;
  replaceFile(file, order);
  return true;
}
