/**
 * The commands of the workload. Each client has one counter, one list, one set, and a key of its own for each SET. Registers are
 * shared by all clients: WRITE and READ are a SET and a GET of one.
 */
export const commandNames = ["INCR", "RPUSH", "SET", "GET", "SADD", "LRANGE", "WRITE", "READ"] as const;

export type CommandName = (typeof commandNames)[number];

const readNames: readonly CommandName[] = ["GET", "LRANGE", "READ"];

/** How a command ended, as the client library told its caller. */
export type Outcome =
  | { readonly kind: "acknowledged"; readonly value: string }
  | { readonly kind: "error"; readonly text: string }
  /** Not at all, in the time that the run gave it. */
  | { readonly kind: "open" };

/** One command that an application gave to its client library. Times are in ms of the monotonic clock. */
export interface Operation {
  readonly client: string;
  readonly command: CommandName;
  /**
   * Unique among a client's writes: the element of RPUSH and SADD, the name and value of SET. GET reads the key of that SET.
   * WRITE: `register=value`, READ: `register`. LRANGE: empty, and its answer is the elements with commas.
   */
  readonly id: string;
  readonly sentMs: number;
  /** When the caller had the answer; for one that is open, when the run gave up. */
  readonly endedMs: number;
  readonly outcome: Outcome;
}

/** A connection that ended although nobody had asked its client to end it. */
export interface Disconnect {
  readonly client: string;
  readonly atMs: number;
  /** Begins with `timeout` when the client itself ended it, since it had no answer for longer than its own patience. */
  readonly reason: string;
}

/** Whether the client's own patience was over; else the other side closed the connection. */
export function isOwnTimeout({ reason }: Pick<Disconnect, "reason">): boolean {
  return reason.startsWith("timeout");
}

/** All that the clients of one round saw. */
export interface History {
  readonly operations: readonly Operation[];
  readonly disconnects: readonly Disconnect[];
}

/** What the master holds of one client's writes when the round is over. */
export interface ClientData {
  /** 0: there is no such key. */
  readonly counter: number;
  readonly list: readonly string[];
  /** Members of the set; a client that has none doesn't use it. */
  readonly set?: ReadonlySet<string>;
  /** Value of each SET's key, by id; a key that isn't there is left out. */
  readonly strings: ReadonlyMap<string, string>;
}

/** {@link ClientData} by client. */
export type FinalData = ReadonlyMap<string, ClientData>;

/** Commands that change something. */
export function isWrite({ command }: Pick<Operation, "command">): boolean {
  return !readNames.includes(command);
}
