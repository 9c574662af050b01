import type { Health } from "../../runtime/admin-server.ts";
import { messageOf } from "../../runtime/log.ts";
import { parseInfo } from "../start/ask-peer.ts";
import type { PeerView } from "../start/decide-start.ts";

/** What the probes need to know of an instance. */
export interface InstanceState {
  /** Undefined: the server runs. Else what it waits for. */
  waitingFor: string | undefined;
  /** Why it must not start as it is configured: a person has to decide. */
  refused?: string | undefined;
  /** Whether a replica ever was in sync with this instance, or this one with a master: the cluster's first start is over. */
  initialised: boolean;
  /** Whether another instance answered since this process started, and whether one of them was a master. */
  othersSeen: boolean;
  otherMasterSeen: boolean;
  /** Whether it is going to be removed: then nobody may promote it, and it is as ready as it will ever be. */
  readonly leaving?: { readonly isSo: boolean };
  /** Whether it follows a foreign Redis: then nobody may promote it either. */
  moving?: { readonly isFollowing: boolean } | undefined;
}

/** An instance is alive while its server answers at all, and before it has one. A loading or busy server is alive. */
export async function checkLive(state: InstanceState, ping: () => Promise<unknown>): Promise<Health> {
  if (state.waitingFor !== undefined) return true;
  try {
    await ping();
    return true;
  } catch (error) {
    const problem = messageOf(error);
    return /\b(LOADING|BUSY|MASTERDOWN)\b/.test(problem) ? true : { problem };
  }
}

/**
 * An instance is ready when a rollout may go on to the next one: a replica in sync, or a master with a replica in sync.
 * At the first start of all there is no other instance yet: then waiting, and leading alone, are ready too. So it is when
 * all were stopped and come back one after the other: what this one waits for only comes after it is ready.
 */
export async function checkReady(
  state: InstanceState,
  info: () => Promise<unknown>,
  askOthers: () => Promise<readonly PeerView[]>,
): Promise<Health> {
  if (state.refused !== undefined) return { problem: state.refused };
  if (state.waitingFor !== undefined) {
    return state.initialised ? { problem: `waiting: ${state.waitingFor}` } : true;
  }
  const fields = parseInfo(String(await info()));
  if (fields.get("role") === "master") {
    const online = [...fields].some(
      ([name, value]) => /^slave\d+$/.test(name) && value.includes("state=online"),
    );
    if (online) state.initialised = true;
    if (online || !state.initialised) return true;
    await lookAround(state, askOthers);
    return state.othersSeen ? { problem: "a master without a replica in sync" } : true;
  }
  if (fields.get("master_link_status") === "up") {
    state.initialised = true;
    state.otherMasterSeen = true;
    // Until the supervisor has raised it, the Sentinels could not promote this one in the next instance's place.
    return fields.get("slave_priority") === "0" && !state.leaving?.isSo && !state.moving?.isFollowing
      ? { problem: "in sync, but not yet allowed to be promoted" }
      : true;
  }
  if (!state.initialised) return true;
  await lookAround(state, askOthers);
  return state.otherMasterSeen ? { problem: `not in sync with ${fields.get("master_host")}` } : true;
}

async function lookAround(
  state: InstanceState,
  askOthers: () => Promise<readonly PeerView[]>,
): Promise<void> {
  const others = await askOthers();
  state.othersSeen ||= others.length > 0;
  state.otherMasterSeen ||= others.some(({ role }) => role === "master");
}
