/** `CLIENT TRACKING` of a client here: a Sentinel accepts it, though it has no keys whose changes it could tell. */
export interface Tracking {
  readonly on: boolean;
  readonly mode?: "bcast" | "optin" | "optout";
  /** The ID of the client that would be told; 0: this one. */
  readonly redirect: number;
}

export const trackingOff: Tracking = { on: false, redirect: -1 };

const switchesMode =
  "before disabling tracking for this client, and then re-enabling it with a different mode.";

/**
 * Reads `ON | OFF [REDIRECT id] [PREFIX prefix …] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]`, or gives the error that Redis gives.
 *
 * @param before what it is until now. @param known whether a client has this ID.
 */
export function parseTracking(
  args: readonly Buffer[],
  before: Tracking,
  known: (id: number) => boolean,
): Tracking | { readonly problem: string } {
  const [state, ...options] = args.map((arg) => arg.toString("latin1").toLowerCase());
  const found = new Set<string>();
  let redirect = 0;
  for (let at = 0; at < options.length; at++) {
    const option = options[at] ?? "";
    const value = args[at + 2];
    if (/^(bcast|optin|optout|noloop)$/.test(option)) found.add(option);
    else if (option === "prefix" && value !== undefined) {
      found.add(option);
      at++;
    } else if (option === "redirect" && value !== undefined) {
      redirect = Number(value.toString("latin1"));
      if (!Number.isSafeInteger(redirect)) return { problem: "ERR value is not an integer or out of range" };
      if (!known(redirect)) return { problem: "ERR The client ID you want redirect to does not exist" };
      at++;
    } else return { problem: "ERR syntax error" };
  }
  if (state === "off") return trackingOff;
  if (state !== "on") return { problem: "ERR syntax error" };
  const mode = (["bcast", "optin", "optout"] as const).filter((one) => found.has(one));
  if (found.has("prefix") && mode[0] !== "bcast")
    return { problem: "ERR PREFIX option requires BCAST mode to be enabled" };
  if (before.on && (before.mode === "bcast") !== (mode[0] === "bcast"))
    return { problem: `ERR You can't switch BCAST mode on/off ${switchesMode}` };
  if (mode[0] === "bcast" && mode.length > 1)
    return { problem: "ERR OPTIN and OPTOUT are not compatible with BCAST" };
  if (mode.length > 1) return { problem: "ERR You can't specify both OPTIN mode and OPTOUT mode" };
  return mode[0] === undefined ? { on: true, redirect } : { on: true, redirect, mode: mode[0] };
}

/** Why `CLIENT CACHING` is refused; undefined: it isn't. */
export function cachingProblem({ on, mode }: Tracking, answer: string): string | undefined {
  if (!on) {
    return "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled";
  }
  const word = answer.toLowerCase();
  if (word !== "yes" && word !== "no") return "ERR syntax error";
  if (word === "yes" && mode !== "optin")
    return "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.";
  if (word === "no" && mode !== "optout")
    return "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.";
  return undefined;
}
