import type { Address } from "../../runtime/address.ts";
import type { TlsFiles } from "../../runtime/tls-files.ts";
import type { Protocol } from "../resp/encode-reply.ts";
import type { Durability } from "./confirmation-gate.ts";
import type { Rejection } from "./rejection.ts";
import type { ScriptStore } from "./script-store.ts";

/** A user as a client has proven to be one. `user` is undefined for `AUTH <password>`. */
export interface Credentials {
  readonly user?: string;
  readonly password: string;
}

/** What an upstream is told. */
export interface UpstreamOptions {
  readonly address: Address;
  /** Number of the master at this address. */
  readonly term: number;
  /** With it the connection is encrypted, and the server has to prove who it is. */
  readonly tls?: TlsFiles | undefined;
  readonly credentials?: Credentials | undefined;
  readonly protocol: Protocol;
  readonly db: number;
  /** It is for what a Redis does while a script keeps it busy, too: the role isn't proven then, and the database may be another one. */
  readonly evenBusy?: boolean;
  /** Bound for connecting and the handshake, ms. */
  readonly connectTimeoutMs: number;
  /** With it the replies to writes are given when a replica has these, too. */
  readonly durability?: Durability | undefined;
  /** The scripts that clients rely on. */
  readonly scripts: ScriptStore;
  /** Why a reply means that its command has to be sent again; undefined: it is the client's. */
  readonly rejects: (reply: Buffer) => Rejection | undefined;
  /** Finds out whether the Redis at the address is in the state that a reply speaks of; without an answer it isn't. */
  readonly prove: (reply: Buffer, done: (rejection: Rejection | undefined) => void) => void;
  /** A reply said that this is no master that works. */
  readonly onRejection: (rejection: Rejection) => void;
  /** It was closed, with the reason; everything in flight was handed back before. Called once. */
  readonly onClose: (reason: UpstreamFailure) => void;
}

/**
 * Why an upstream ended. `denied`: the server doesn't accept the credentials. `busy`: it does, but a script keeps it from saying what it
 * is; the message is its own. `refused`: it takes no new connection from anybody, which says nothing about those that it has; the
 * message is its own. `closed`: it was connected, and lost before it had answered.
 */
export interface UpstreamFailure {
  readonly kind: "unreachable" | "notMaster" | "denied" | "busy" | "refused" | "closed" | "lost" | "retired";
  readonly message: string;
}
