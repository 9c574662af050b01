import { decodeCommand, encodeCommand, upper } from "../resp/command-frame.ts";
import type { RedirectTarget, RedirectTargets } from "./redirect-targets.ts";

/** What a prefix takes beside its bytes. */
const bytesOfEntry = 128;

/** The options of one `CLIENT TRACKING ON`, in the order in which Redis reads them. */
interface Request {
  readonly on: boolean;
  readonly broadcasts: boolean;
  readonly prefixes: readonly string[];
  /** `OPTIN`, `OPTOUT`, `NOLOOP`. */
  readonly options: readonly string[];
  readonly redirect: number | undefined;
}

/** What `CLIENT TRACKING` has left on a client's connection: the last request's options, and the prefixes of all of them. */
export class Tracking {
  /** Where the invalidations go; undefined: over the client's own connection. */
  redirect: { readonly told: number; readonly target: RedirectTarget | undefined } | undefined;
  readonly #prefixes = new Set<string>();
  #last: Request;

  private constructor(request: Request) {
    this.#last = request;
  }

  /**
   * Takes note of a command that the server has agreed to.
   *
   * @param before what was there.
   * @param targets knows whom the client means with an id.
   * @returns what is there now; undefined: nothing is tracked.
   */
  static after(before: Tracking | undefined, frame: Buffer, targets: RedirectTargets): Tracking | undefined {
    const request = read(frame);
    if (!request.on) return undefined;
    const tracking = before ?? new Tracking(request);
    tracking.#last = request;
    for (const prefix of request.prefixes) tracking.#prefixes.add(prefix);
    // Redis takes it for the prefix that everything begins with.
    if (request.broadcasts && request.prefixes.length === 0) tracking.#prefixes.add("");
    const { redirect } = request;
    tracking.redirect =
      redirect === undefined ? undefined : { told: redirect, target: targets.find(redirect) };
    return tracking;
  }

  /** What its prefixes take. */
  get bytes(): number {
    let bytes = 0;
    for (const { length } of this.#prefixes) bytes += length + bytesOfEntry;
    return bytes;
  }

  /** The commands that bring all of it to a new connection. @param redirect the target's id there. */
  frames(redirect = this.redirect?.target?.id): Buffer[] {
    const { broadcasts, options } = this.#last;
    const frame = (prefixes: readonly string[]): Buffer =>
      encodeCommand([
        ...["CLIENT", "TRACKING", "ON"],
        ...(redirect === undefined ? [] : ["REDIRECT", String(redirect)]),
        ...(broadcasts ? ["BCAST"] : []),
        ...prefixes.flatMap((prefix) => ["PREFIX", Buffer.from(prefix, "latin1")]),
        ...options,
      ]);
    const named = [...this.#prefixes].filter((prefix) => prefix !== "");
    // Redis refuses the empty one beside others, but adds it to those that are there.
    const all = this.#prefixes.has("") || !broadcasts ? [frame([])] : [];
    return named.length === 0 ? all : [frame(named), ...all];
  }
}

/** The bytes that a command's prefixes would take, and the id that it names. */
export function trackingRequest(frame: Buffer): {
  readonly bytes: number;
  readonly redirect: number | undefined;
} {
  const { prefixes, redirect } = read(frame);
  return { bytes: prefixes.reduce((sum, { length }) => sum + length + bytesOfEntry, 0), redirect };
}

/** The same command with another id. */
export function redirectedTo(frame: Buffer, id: number): Buffer {
  const args = decodeCommand(frame);
  const at = args.findIndex((arg, i) => i > 2 && upper(arg) === "REDIRECT");
  return encodeCommand(args.with(at + 1, Buffer.from(String(id))));
}

function read(frame: Buffer): Request {
  const args = decodeCommand(frame);
  const prefixes: string[] = [];
  const options: string[] = [];
  let broadcasts = false;
  let redirect: number | undefined;
  for (let i = 3; i < args.length; i++) {
    const option = upper(args[i]);
    if (option === "PREFIX") prefixes.push(args[++i]?.toString("latin1") ?? "");
    else if (option === "REDIRECT") redirect = Number(args[++i]?.toString("latin1")) || undefined;
    else if (option === "BCAST") broadcasts = true;
    else options.push(option);
  }
  return { on: upper(args[2]) === "ON", broadcasts, prefixes, options, redirect };
}
