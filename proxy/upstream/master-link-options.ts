import type { Logger } from "pino";
import type { Address } from "../../runtime/address.ts";
import type { TlsFiles } from "../../runtime/tls-files.ts";
import type { Durability } from "./confirmation-gate.ts";
import type { Rejection } from "./rejection.ts";
import type { Credentials } from "./upstream-options.ts";

/** How the connections to the master are opened, and who hears of what happens to them. */
export interface MasterLinkOptions {
  /** Milliseconds without a master after which commands are answered with an error. */
  readonly holdTimeoutMs: number;
  /** Connections for single clients that may be open at a time. */
  readonly maxDedicated: number;
  readonly log: Logger;
  /** With it writes are answered when a replica has them, too. */
  readonly durability?:
    | (Pick<Durability, "timeoutMs" | "observe" | "needed"> & { readonly replicas: number })
    | undefined;
  /** With it the connections are encrypted. */
  readonly tls?: TlsFiles | undefined;
  /** Whether a Redis takes no writes any more before another one is the master in its place: what it still answers is true. Default: none does. */
  readonly closesFirst?: (address: Address) => boolean;
  /** Asks a Redis for its `INFO`. Rejects when there is no answer in time. */
  readonly askInfo: (address: Address) => Promise<string>;
  /** The proxy's own user at a Redis; undefined: nobody needs to log in. */
  readonly own: (address: Address) => Credentials | undefined;
  /** Bytes of the scripts that are kept for clients. */
  readonly scriptBytes: number;
  /** Something is wrong with the master: it should be asked whether it still is one. */
  readonly suspect: (reason: string) => void;
  /** A pause of the link's own is over: it wants to know again what the watcher knows. */
  readonly resume: () => void;
  /** Commands don't wait any more: there is a master, or there was none for too long. */
  readonly released: () => void;
  /** Takes note of a refusal by a Redis that is no master that works. */
  readonly rejected: (rejection: Rejection) => void;
  /** Takes note of how long commands waited for a master, s. */
  readonly held: (seconds: number) => void;
}
