import { type Address, sameAddress } from "./address.ts";
import { readPassword } from "./password-file.ts";
import { env } from "./read-environment.ts";

/** What instances and proxies are told about a Redis whose data are taken over. */
export const moveContract = {
  /** Its master, `address:port`. Unset: nothing is taken over. */
  MOVE_SOURCE: env.optionalAddress(),
  /** As whom one logs in there. Unset: the user named `default`. */
  MOVE_USER: env.optionalText(),
  /** File with that user's password. Unset: without one. Read anew at each use. */
  MOVE_PASSWORD_FILE: env.optionalText(),
} as const;

/** A Redis of somebody else, whose data this set takes over, and how one logs in there. */
export interface MoveSource {
  readonly address: Address;
  readonly username: string | undefined;
  readonly password: () => string | undefined;
}

/** @throws {Error} when there is a password file that can't be read. */
export function readMoveSource(environment: {
  readonly MOVE_SOURCE: Address | undefined;
  readonly MOVE_USER: string | undefined;
  readonly MOVE_PASSWORD_FILE: string | undefined;
}): MoveSource | undefined {
  const { MOVE_SOURCE: address, MOVE_USER: username, MOVE_PASSWORD_FILE: file } = environment;
  if (address === undefined) return undefined;
  const source = { address, username, password: () => readPassword(file) };
  source.password();
  return source;
}

/** Whether an address is that of the Redis that is taken over. */
export function isSource(source: MoveSource | undefined, address: Address): source is MoveSource {
  return source !== undefined && sameAddress(source.address, address);
}
