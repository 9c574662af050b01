import type { ControlConnection } from "../../quorum/control-connection.ts";
import { messageOf } from "../../runtime/log.ts";
import { askHeartbeat } from "../supervise/heartbeat.ts";
import type { PeerView } from "./decide-start.ts";

/** One section of INFO as fields. */
export function parseInfo(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

/**
 * Asks another instance what it is and whether it has data. One that is still loading has data.
 *
 * @throws {Error} when it doesn't answer.
 */
export async function askPeer(connection: ControlConnection): Promise<PeerView> {
  const [info, heartbeat] = await Promise.all([
    connection.call("INFO"),
    // One that still loads doesn't tell.
    askHeartbeat(connection).catch(() => undefined),
  ]);
  const fields = parseInfo(String(info));
  const role = fields.get("role") === "master" ? "master" : "replica";
  const hasKeys = [...fields.keys()].some((name) => /^db\d+$/.test(name));
  return {
    address: connection.address,
    role,
    hasData: hasKeys || fields.get("loading") === "1",
    replicas: Number(fields.get("connected_slaves") ?? 0),
    heartbeat,
    promotable: role === "replica" && Number(fields.get("slave_priority")) > 0,
  };
}

/** Asks all other instances at once; those that don't answer are left out. */
export async function askPeers(connections: readonly ControlConnection[]): Promise<PeerView[]> {
  const answers = await Promise.allSettled(connections.map(askPeer));
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
}

/** Whether a question failed because nobody listens there: its machine answers, and the process that served is gone. */
export function isRefused(error: unknown): boolean {
  return messageOf(error).includes("ECONNREFUSED");
}
