import type { Protocol } from "../resp/encode-reply.ts";
import { Subscriptions } from "./subscriptions.ts";
import { type Tracking, trackingOff } from "./tracking.ts";

/** What the API keeps of one client. */
export class ClientState {
  readonly id: number;
  /** `host:port` of the client, and of this end. */
  readonly address: string;
  readonly localAddress: string;
  readonly connectedAtMs: number;
  lastCommandAtMs: number;
  lastCommand = "";
  protocol: Protocol = 2;
  /** Undefined until the client has authenticated itself, where it must. */
  user: string | undefined;
  /** Names as the client gave them, byte for byte (latin1). Empty: none. */
  name = "";
  libraryName = "";
  libraryVersion = "";
  tracking: Tracking = trackingOff;
  subscriptions = new Subscriptions();

  constructor(id: number, address: string, localAddress: string, nowMs: number) {
    this.id = id;
    this.address = address;
    this.localAddress = localAddress;
    this.connectedAtMs = nowMs;
    this.lastCommandAtMs = nowMs;
  }
}

/** A line of `CLIENT LIST`, in Redis' form. */
export function describeClient(client: ClientState, nowMs: number): string {
  const seconds = (sinceMs: number): number => Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  const { subscriptions } = client;
  const fields: [string, string | number][] = [
    ["id", client.id],
    ["addr", client.address],
    ["laddr", client.localAddress],
    ["name", client.name],
    ["age", seconds(client.connectedAtMs)],
    ["idle", seconds(client.lastCommandAtMs)],
    ["flags", subscriptions.count > 0 ? "P" : "N"],
    ["db", 0],
    ["sub", subscriptions.channels],
    ["psub", subscriptions.patterns],
    ["ssub", 0],
    ["multi", -1],
    ["cmd", client.lastCommand],
    ["user", client.user ?? "default"],
    ["redir", -1],
    ["resp", client.protocol],
    ["lib-name", client.libraryName],
    ["lib-ver", client.libraryVersion],
  ];
  return `${fields.map(([name, value]) => `${name}=${value}`).join(" ")}\n`;
}

/** Redis allows what can stand between two spaces of a line: printable ASCII. */
export function isPlainName(text: string): boolean {
  return /^[!-~]*$/.test(text);
}

/** What a client gets for any other name. */
export const nameError = "ERR Client names cannot contain spaces, newlines or special characters.";
